"""`diagram`: the picture of a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from compiler.diagram.options import DiagramOptions
from compiler.diagram.render_diagram import diagram_format, render_diagram
from compiler.reporting.write_files import write_whole
from layergraph.commands._compile import compile_and_warn
from layergraph.commands._options import NoLimits, Picture, Sets, Spec, Variant
from layergraph.commands._output import exit_if


def diagram(
    spec: Spec,
    out: Annotated[Path, Picture],
    block: Annotated[
        str, typer.Option(metavar="NAME", help="The only block drawn.")
    ] = "",
    depth: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Levels of blocks opened; default: what fits a page.",
        ),
    ] = None,
    expand: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Layer or block to open; may be repeated."),
    ] = None,
    fold: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Layer or block to fold; may be repeated."),
    ] = None,
    direction: Annotated[
        Literal["TB", "LR"],
        typer.Option(help="Reading direction: top to bottom or left to right."),
    ] = "TB",
    theme: Annotated[
        Literal["light", "dark", "print"], typer.Option(help="Color theme.")
    ] = "light",
    engine: Annotated[
        Literal["wheel", "system"],
        typer.Option(help="Layout program: the installed wheel, or the system's dot."),
    ] = "wheel",
    variant: Variant = "",
    sets: Sets = None,
    no_limits: NoLimits = False,
) -> None:
    """Draw a spec as a picture.

    A spec with shape errors is drawn, too, with the faulty edges in red.

    Example: layergraph diagram specs/gpt2.yaml -o gpt2.svg --depth 1
    """
    format = diagram_format(out)
    names = frozenset(expand or ()), frozenset(fold or ())
    options = DiagramOptions("", block, depth, *names, direction, theme)
    program = compile_and_warn(spec, variant, sets, no_limits, strict=False)
    write_whole({out: render_diagram(program.typed, format, options, engine=engine)})
    typer.echo(out)
    exit_if(program.typed.failed)
