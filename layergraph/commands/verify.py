"""`verify`: the generated module compared with what the compiler inferred, and with the graph run layer by layer."""

from __future__ import annotations

import typer

from layergraph.commands._compile import compile_and_warn
from layergraph.commands._options import NoLimits, Sets, Spec, Variant
from layergraph.commands._verify import fail_unless_verified


def verify(
    spec: Spec, variant: Variant = "", sets: Sets = None, no_limits: NoLimits = False
) -> None:
    """Run the module and compare it with the graph of the spec.

    The graph is run layer by layer. Names, shapes and initial values of weights, outputs, gradients and running
    statistics are compared, at several sizes of every symbol and for several values of every param.

    Example: layergraph verify specs/gpt2.yaml --set depth=2
    """
    compared = fail_unless_verified(compile_and_warn(spec, variant, sets, no_limits))
    for line in compared:
        typer.echo(f"  {line}")
    typer.echo(f"{spec}: verified")
