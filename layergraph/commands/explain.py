"""`explain`: where a layer's type comes from."""

from __future__ import annotations

from typing import Annotated

import typer

from compiler.reporting.explanation import explain as explanation
from layergraph.commands._compile import compile_and_warn
from layergraph.commands._options import NoLimits, Sets, Spec, Variant


def explain(
    spec: Spec,
    layer: Annotated[
        str, typer.Argument(metavar="LAYER", help="Path of a layer, as h.attn.c_attn.")
    ],
    variant: Variant = "",
    sets: Sets = None,
    no_limits: NoLimits = False,
) -> None:
    """Show where a layer's type comes from, step by step.

    Example: layergraph explain specs/gpt2.yaml h[3].attn.c_attn
    """
    typer.echo(
        explanation(compile_and_warn(spec, variant, sets, no_limits).typed, layer)
    )
