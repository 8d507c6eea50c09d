"""A diagram as a file; its name says of which kind."""

from __future__ import annotations

import typing
from pathlib import Path

from compiler.diagnostics import PictureError, RequestError
from compiler.diagram.engine import Engine, RenderError
from compiler.diagram.options import DiagramError, Options
from compiler.diagram.render import Format, render
from compiler.typed import TypedGraph
from compiler.writing import write_whole


def write_picture(
    typed: TypedGraph, path: Path, options: Options, engine: Engine = "wheel"
) -> None:
    """Draw a graph into a file: .svg, .pdf, .png, .dot or .mmd.

    Raises:
        RequestError: for another suffix, or options that name what the spec has not.
        PictureError: where the layout fails or takes too long.
    """
    format = picture_format(path)
    try:
        write_whole({path: render(typed, format, options, engine=engine)})
    except DiagramError as error:
        raise RequestError(str(error)) from None
    except RenderError as error:
        raise PictureError(str(error)) from None


def picture_format(path: Path) -> Format:
    """The kind of picture that a file's suffix names.

    Raises:
        RequestError: where it names none.

    >>> picture_format(Path("net.SVG"))
    'svg'
    """
    for format in typing.get_args(Format):
        if path.suffix.lower() == f".{format}":
            return typing.cast(Format, format)
    kinds = ", ".join(f".{format}" for format in typing.get_args(Format))
    raise RequestError(f"{path} must end in one of {kinds}")
