"""A typed graph as a file: DOT or Mermaid as text, or drawn."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Literal

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagram.dot import to_dot
from compiler.diagram.draw import draw
from compiler.diagram.engine import Engine, render_dot
from compiler.diagram.mermaid import to_mermaid
from compiler.diagram.options import Options
from compiler.diagram.picture import Picture
from compiler.ir.typed import TypedGraph

Format = Literal["svg", "png", "pdf", "dot", "mmd"]

_DEFAULT = Options()


def render(
    typed: TypedGraph,
    format: Format,
    options: Options = _DEFAULT,
    *,
    engine: Engine = "wheel",
    timeout: float = 20.0,
) -> bytes | str:
    """The diagram of a graph: text for `dot` and `mmd`, bytes for pictures.

    Args:
        engine: the `dot` program that lays out a picture.
        timeout: seconds that the layout may take.

    Raises:
        RequestError: the spec has not what the options name.
        PictureError: no picture came out; DOT and Mermaid need no layout.
    """
    return render_picture(draw(typed, options), format, engine=engine, timeout=timeout)


def render_picture(
    picture: Picture,
    format: Format,
    *,
    engine: Engine = "wheel",
    timeout: float = 20.0,
) -> bytes | str:
    """A picture that has been drawn, in one of the formats.

    Raises:
        PictureError: where the layout fails or takes too long.
    """
    if format == "dot":
        return to_dot(picture)
    if format == "mmd":
        return to_mermaid(picture)
    return render_dot(to_dot(picture), format, engine=engine, timeout=timeout)


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
