"""`summary`: layers, types, parameters and FLOPs as a table or as data."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from compiler.cost.at_sizes import at_sizes
from layergraph.commands._compile import compile_and_warn
from layergraph.commands._options import Depth, Json, NoLimits, Sets, Spec, Variant
from layergraph.commands._output import echo_json
from layergraph.overrides import read_sizes


def summary(
    spec: Spec,
    at: Annotated[
        str,
        typer.Option(metavar="B=8,T=1024", help="Sizes of symbols, for numbers."),
    ] = "",
    depth: Depth = None,
    as_json: Json = False,
    variant: Variant = "",
    sets: Sets = None,
    no_limits: NoLimits = False,
) -> None:
    """Show each layer's type, parameters and FLOPs.

    FLOPs and activations are formulas in the symbols of the spec, or numbers at the sizes of --at.

    Example: layergraph summary specs/gpt2.yaml --at B=8,T=1024 --depth 2
    """
    program = compile_and_warn(spec, variant, sets, no_limits)
    found = at_sizes(program.summary, read_sizes(at) if at else {})
    if as_json:
        from compiler.reporting.summary_json import as_json as data

        echo_json(data(found))
    else:
        from compiler.reporting.terminal import print_summary

        print_summary(found, depth, sys.stdout)
