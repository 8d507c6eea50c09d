"""`fmt`: the canonical layout of specs."""

from __future__ import annotations

import typer

from compiler.fmt.format_spec import format_file
from compiler.write_files import write_whole
from layergraph.commands._options import Specs


def fmt(specs: Specs) -> None:
    """Lay specs out in one way, comments kept.

    The files are rewritten in place; those that changed are listed.

    Example: layergraph fmt specs/gpt2.yaml
    """
    changed = {path: new for path in specs if (new := format_file(path)) is not None}
    write_whole(changed)
    typer.echo("".join(f"{path}\n" for path in changed), nl=False)
