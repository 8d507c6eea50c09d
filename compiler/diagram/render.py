"""A typed graph as a file: DOT or Mermaid as text, or drawn."""

from __future__ import annotations

from typing import Literal

from compiler.diagram.dot import to_dot
from compiler.diagram.draw import draw
from compiler.diagram.engine import Engine, render_dot
from compiler.diagram.mermaid import to_mermaid
from compiler.diagram.options import Options
from compiler.typed import TypedGraph

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
        DiagramError: the spec has not what the options name.
        RenderError: no picture came out; DOT and Mermaid need no layout.
    """
    picture = draw(typed, options)
    if format == "dot":
        return to_dot(picture)
    if format == "mmd":
        return to_mermaid(picture)
    return render_dot(to_dot(picture), format, engine=engine, timeout=timeout)
