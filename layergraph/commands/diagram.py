"""`diagram`: the picture of a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from compiler.diagram.find_format import format_name
from layergraph.commands._compile import compile_and_warn
from layergraph.commands._options import Network, NoLimits, Picture, Sets, Spec, Variant
from layergraph.commands._output import exit_if


def diagram(
    spec: Spec,
    out: Annotated[Path, Picture],
    block: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="All that is drawn: a block, a network, or a layer that runs one, such as h.attn.",
        ),
    ] = "",
    network: Network = "",
    depth: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Levels of blocks opened; default: what fits a page, see above.",
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
        Literal["auto", "light", "dark", "print"],
        typer.Option(
            help="Color theme; auto: light or dark, as the viewer of an SVG prefers."
        ),
    ] = "auto",
    links: Annotated[
        str,
        typer.Option(
            metavar="URL_PREFIX",
            help="Link each layer of an SVG or a page to URL_PREFIX, then FILE#L and its line.",
        ),
    ] = "",
    key: Annotated[
        bool, typer.Option("--key", help="Explain the colors and lines that occur.")
    ] = False,
    width: Annotated[
        str,
        typer.Option(
            metavar="LENGTH",
            help="Width of a figure in print, such as 85mm or 174mm: no text under 6 pt.",
        ),
    ] = "",
    engine: Annotated[
        Literal["wheel", "system"],
        typer.Option(help="Layout program: the installed wheel, or the system's dot."),
    ] = "wheel",
    variant: Variant = "",
    sets: Sets = None,
    no_limits: NoLimits = False,
) -> None:
    """Draw a spec as a picture, or (.html) as a page that folds.

    A spec with shape errors is drawn, too, with the faulty edges in red.

    What is opened: layers of --fold never, those of --expand and those with errors always, then --depth levels. By
    default, each block opens once, outer ones first and those with blocks inside before others, while the picture has
    at most 100 boxes, 34 from top to bottom; a short list of ops stays one box.

    Example: layergraph diagram specs/gpt2.yaml -o gpt2.svg --depth 1
    """
    format_name(out)  # a wrong suffix is an error before anything is compiled
    program = compile_and_warn(spec, variant, sets, no_limits, strict=False)
    drawn = program.diagram(
        network=network,
        block=block,
        depth=depth,
        expand=expand or (),
        fold=fold or (),
        direction=direction,
        theme=theme,
        links=links,
        key=key,
        width=width,
    )
    drawn.save(out, engine=engine)
    typer.echo(out)
    exit_if(program.typed.failed)
