"""`diff`: what changed between two architectures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compiler.diagram.diagram import Diagram
from compiler.diagram.find_format import format_name
from compiler.diff.changes_text import report
from compiler.diff.compare import compare
from compiler.diff.draw_changes import draw_changes
from layergraph.commands._compile import compile_and_warn
from layergraph.commands._options import NoLimits, Picture
from layergraph.spec_file import spec_file


def diff(
    a: Annotated[
        Path,
        typer.Argument(metavar="A", help="Spec before.", parser=spec_file),
    ],
    b: Annotated[
        Path,
        typer.Argument(metavar="B", help="Spec after.", parser=spec_file),
    ],
    out: Annotated[Path | None, Picture] = None,
    no_limits: NoLimits = False,
) -> None:
    """Show what changed between two specs; -o draws it.

    Example: layergraph diff specs/bert.yaml specs/roberta.yaml -o changes.svg
    """
    if out is not None:
        format_name(out)  # a wrong suffix is an error before anything is compiled
    before, after = (
        compile_and_warn(spec, no_limits=no_limits).typed for spec in (a, b)
    )
    changes = compare(before, after)
    typer.echo(report(changes), nl=False)
    if out is not None:
        Diagram(after.graph.spec.name, draw_changes(after, changes)).save(out)
