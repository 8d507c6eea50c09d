"""`ops`: the reference of the ops."""

from __future__ import annotations

from typing import Annotated

import typer

from compiler.diagnostics.diagnostic import RequestError
from compiler.reporting import ops_text
from layergraph.commands._options import Json
from layergraph.commands._output import echo_json


def ops(
    op: Annotated[
        str, typer.Argument(metavar="OP", help="Name of an op; default: all.")
    ] = "",
    search: Annotated[
        str,
        typer.Option(
            metavar="WORD", help="Word of ops to look for, or another tool's name."
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Show the reference of all ops, of one, or of those with a word.

    Example: layergraph ops --search pooling
    """
    if op and search:
        raise RequestError("give the name of an op, or a word to look for")
    found = ops_text.search(search) if search else ops_text.select(op)
    if as_json:
        echo_json([one.as_json() for one in found])
    else:
        text = ops_text.detail(found[0]) if op else ops_text.overview(found)
        typer.echo(text, nl=False)
