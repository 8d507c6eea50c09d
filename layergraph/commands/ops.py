"""`ops`: the reference of the ops."""

from __future__ import annotations

from typing import Annotated

import typer

from compiler.reporting import ops_text
from layergraph.commands._options import Json
from layergraph.commands._output import echo_json


def ops(
    op: Annotated[
        str, typer.Argument(metavar="OP", help="Name of an op; default: all.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Show the reference of all ops, or of one.

    Example: layergraph ops conv2d
    """
    found = ops_text.select(op)
    if as_json:
        echo_json([one.as_json() for one in found])
    else:
        text = ops_text.detail(found[0]) if op else ops_text.overview(found)
        typer.echo(text, nl=False)
