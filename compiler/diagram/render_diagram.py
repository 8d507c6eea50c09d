"""TypedGraph -> a diagram file: DOT or Mermaid as text, or a laid-out image."""

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


def render_diagram(
    typed: TypedGraph,
    format: DiagramFormat,
    options: DiagramOptions = _DEFAULT,
    *,
    engine: LayoutEngine = "wheel",
    timeout: float = 20.0,
) -> bytes | str:
    """Draw a graph in one of the formats.

    Args:
        engine: the `dot` program that lays the diagram out: of the wheel or of the system.
        timeout: maximum time for the layout, in seconds.

    Returns:
        Text for `dot` and `mmd`, which need no layout; bytes for images.

    Raises:
        RequestError: if the spec has no network or block that the options name.
        DiagramError: if the layout fails or takes too long.
    """
    return render_drawing(draw(typed, options), format, engine=engine, timeout=timeout)


def render_drawing(
    drawing: Drawing,
    format: DiagramFormat,
    *,
    engine: LayoutEngine = "wheel",
    timeout: float = 20.0,
) -> bytes | str:
    """Print a drawing in one of the formats; see `render_diagram`.

    Raises:
        DiagramError: if the layout fails or takes too long.
    """
    if format == "dot":
        return to_dot(drawing)
    if format == "mmd":
        return to_mermaid(drawing)
    return render_dot(to_dot(drawing), format, engine=engine, timeout=timeout)


def diagram_format(path: Path) -> DiagramFormat:
    """The format that a file's suffix names.

    Raises:
        RequestError: if the suffix names none.

    >>> diagram_format(Path("net.SVG"))
    'svg'
    """
    formats = typing.get_args(DiagramFormat)
    for format in formats:
        if path.suffix.lower() == f".{format}":
            return typing.cast(DiagramFormat, format)
    suffixes = ", ".join(f".{format}" for format in formats)
    raise RequestError(f"{path} must end in one of {suffixes}")
