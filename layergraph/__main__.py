"""The command line: arguments → commands → exit codes.

0: done. 1: a spec, or data, is wrong. 2: the command line is wrong.
"""

from __future__ import annotations

import gc
import os

# What a command imports and makes lives as long as it does: to look for garbage in it,
# and once more at the end, would take a tenth of its time.
gc.set_threshold(200_000)
# To look for plugins of pydantic reads the metadata of all that is installed.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

import sys
from importlib import import_module
from io import TextIOWrapper
from pkgutil import iter_modules
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import layergraph.commands
from compiler.diagnostics.diagnostic import (
    DataError,
    DiagramError,
    RequestError,
    SpecError,
)
from compiler.diagnostics.extras import MissingExtraError
from layergraph import __version__
from layergraph.commands._output import echo_text, show_diagnostics
from layergraph.commands._plugin import plugin_option

_PLUGGED = {"SPEC", "RECIPE", "RUN", "OP"}
"""The arguments of commands that compile a spec or list ops, which may be those of plug-ins."""


class Commands(TyperGroup):
    """The modules of `layergraph.commands`, each with a command or a group of its own name.

    A module is imported when its command is asked for, so that `check` does not pay for `diagram`.
    """

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        found = iter_modules(layergraph.commands.__path__)
        names = [one.name for one in found if not one.name.startswith("_")]
        self.commands = dict.fromkeys(names, self)  # by name; `get_command` imports

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; None where there is none."""
        if cmd_name not in self.commands:
            return None
        module = import_module(f"layergraph.commands.{cmd_name}")
        command = getattr(module, cmd_name)
        if isinstance(command, typer.Typer):
            return typer.main.get_command(command)
        alone = _typer()
        alone.command()(command)
        made = typer.main.get_command(alone)
        if any(_PLUGGED & {*(one.metavar or "").split("|")} for one in made.params):
            made.params.append(plugin_option())
        return made


def _typer(**attributes: Any) -> typer.Typer:
    return typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        **attributes,
    )


app = _typer(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"layergraph {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Version of LayerGraph.",
            callback=_show_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """LayerGraph compiles neural networks from YAML to PyTorch and diagrams.

    Exit codes: 0 done; 1 a spec, or data, is wrong; 2 the command line is wrong.
    """


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):  # a terminal may know ASCII alone
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="layergraph")
    except SpecError as error:
        show_diagnostics(error.diagnostics)
        sys.exit(1)
    except (DiagramError, RequestError, MissingExtraError, OSError) as error:
        echo_text(f"error: {error}", err=True)
        sys.exit(1 if isinstance(error, (DataError, DiagramError)) else 2)
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
