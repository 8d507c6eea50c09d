"""`fmt`: the canonical layout of specs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from compiler.fmt.format_spec import format_file
from compiler.write_files import write_whole


def fmt(
    specs: Annotated[
        list[Path],
        typer.Argument(metavar="SPEC", help="Spec files.", exists=True, dir_okay=False),
    ],
) -> None:
    """Lay specs out in one way, comments kept.

    The files are rewritten in place; those that changed are listed.

    Example: layergraph fmt specs/gpt2.yaml
    """
    changed = {path: new for path in specs if (new := format_file(path)) is not None}
    write_whole(changed)
    typer.echo("".join(f"{path}\n" for path in changed), nl=False)
