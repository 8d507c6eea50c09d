"""A typed graph as a file: DOT or Mermaid as text, or drawn."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Literal

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagram.dot import to_dot
from compiler.diagram.draw import draw
from compiler.diagram.drawing import Drawing
from compiler.diagram.layout_engine import LayoutEngine, render_dot
from compiler.diagram.mermaid import to_mermaid
from compiler.diagram.options import DiagramOptions
from compiler.ir.typed import TypedGraph

DiagramFormat = Literal["svg", "png", "pdf", "dot", "mmd"]

_DEFAULT = DiagramOptions()


def render(
    typed: TypedGraph,
    format: DiagramFormat,
    options: DiagramOptions = _DEFAULT,
    *,
    engine: LayoutEngine = "wheel",
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
    return render_drawing(draw(typed, options), format, engine=engine, timeout=timeout)


def render_drawing(
    picture: Drawing,
    format: DiagramFormat,
    *,
    engine: LayoutEngine = "wheel",
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


def diagram_format(path: Path) -> DiagramFormat:
    """The kind of picture that a file's suffix names.

    Raises:
        RequestError: where it names none.

    >>> picture_format(Path("net.SVG"))
    'svg'
    """
    for format in typing.get_args(DiagramFormat):
        if path.suffix.lower() == f".{format}":
            return typing.cast(DiagramFormat, format)
    kinds = ", ".join(f".{format}" for format in typing.get_args(DiagramFormat))
    raise RequestError(f"{path} must end in one of {kinds}")
