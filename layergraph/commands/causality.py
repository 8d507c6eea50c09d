"""`causality`: on which positions of a sequence each layer depends."""

from __future__ import annotations

from typing import Annotated

import typer

from compiler.reporting.causality_text import causality_json, causality_text
from layergraph.commands._compile import compile_and_warn
from layergraph.commands._options import Depth, Json, NoLimits, Sets, Spec, Variant
from layergraph.commands._output import echo_json, exit_if


def causality(
    spec: Spec,
    along: Annotated[
        str,
        typer.Option(
            metavar="T",
            help="Dimension of the inputs; default: that of `step`, of the task, or T.",
        ),
    ] = "",
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="NAME",
            help="Input that comes in steps; may be repeated. Default: all with the dimension.",
        ),
    ] = None,
    depth: Depth = None,
    as_json: Json = False,
    variant: Variant = "",
    sets: Sets = None,
    no_limits: NoLimits = False,
) -> None:
    """Show which positions each layer and output depends on.

    The last column is what a layer has to keep from one step to the next. The exit code is 1 if an output depends on
    later positions.

    Example: layergraph causality specs/wavenet.yaml --depth 2
    """
    program = compile_and_warn(spec, variant, sets, no_limits, strict=False)
    exit_if(program.typed.failed)
    found = program.causality(along, inputs)
    if as_json:
        echo_json([causality_json(one) for one in found])
    else:
        texts = (causality_text(one, depth) for one in found)
        typer.echo("\n".join(texts), nl=False)
    exit_if(not all(one.causal for one in found))
