"""`--plugin`: files in Python with ops, tasks, data sets, losses and metrics of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def plugin_option() -> Any:
    """The option of a command that compiles a spec; the files are run before the command is."""
    command = typer.Typer(add_completion=False)
    command.command()(_with_option)
    return next(
        option
        for option in typer.main.get_command(command).params
        if option.name == "plugin"
    )


def _load(files: list[Path] | None) -> None:
    for file in files or []:
        from compiler.tasks.plugins import load_plugin

        load_plugin(file)


def _with_option(
    plugin: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Python file with ops, tasks, data sets, losses or metrics; may be repeated.",
            callback=_load,
            is_eager=True,
            expose_value=False,
        ),
    ] = None,
) -> None: ...
