"""A drawing in all its formats: DOT or Mermaid as text, or a laid-out image."""

from __future__ import annotations

import typing
from functools import cached_property
from pathlib import Path
from typing import Literal

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import DiagramError, RequestError
from compiler.diagram.dot import to_dot
from compiler.diagram.drawing import Drawing
from compiler.diagram.layout_engine import (
    ImageFormat,
    LayoutEngine,
    LayoutTooLargeError,
    render_dot,
)
from compiler.diagram.mermaid import to_mermaid
from compiler.diagram.side_by_side import arranged_dot, has_several_networks
from compiler.write_files import write_whole

DiagramFormat = Literal["svg", "png", "pdf", "dot", "mmd"]


@dataclass(frozen=True, repr=False)
class Diagram:
    """A diagram of a spec; a notebook shows it."""

    name: str
    """The name of the spec."""
    drawing: Drawing
    """The diagram as data."""

    @cached_property
    def svg(self) -> str:
        """The text of an SVG file.

        Raises:
            DiagramError: if the layout fails or takes too long.
        """
        return self._image("svg", "wheel").decode()

    @cached_property
    def dot(self) -> str:
        """The text of a DOT file, for Graphviz."""
        return to_dot(self.drawing)

    @cached_property
    def mermaid(self) -> str:
        """The text of a Mermaid flowchart, for Markdown."""
        return to_mermaid(self.drawing)

    def save(self, path: str | Path, *, engine: LayoutEngine = "wheel") -> None:
        """Write a file in the format that its suffix names.

        Args:
            engine: the `dot` program that lays the diagram out: of the wheel or of the system.

        Raises:
            RequestError: for another suffix.
            DiagramError: if the layout fails or takes too long.
            OSError: if the file cannot be written.
        """
        file = Path(path)
        write_whole({file: self._rendered(diagram_format(file), engine)})

    def _rendered(self, format: DiagramFormat, engine: LayoutEngine) -> bytes | str:
        match format:
            case "dot":
                return self.dot
            case "mmd":
                return self.mermaid
            case "svg" | "png" | "pdf":
                return self._image(format, engine)

    def _image(self, format: ImageFormat, engine: LayoutEngine) -> bytes:
        title, several = self.drawing.title, has_several_networks(self.drawing)
        try:
            return render_dot(
                arranged_dot(self.drawing, engine) if several else self.dot,
                format,
                laid_out=several,
                engine=engine,
                title=title.name,
                subject=title.lines[0] if title.lines else "",
            )
        except LayoutTooLargeError as error:
            largest = self.drawing.largest
            advice = f": {largest} is too large, fold it or draw a block alone"
            raise DiagramError(f"{error}{advice if largest else ''}") from None

    def __repr__(self) -> str:
        return f"<Diagram of {self.name}>"

    def _repr_svg_(self) -> str | None:
        """The diagram, for a notebook."""
        try:
            return self.svg
        except DiagramError:  # the notebook shows the repr
            return None


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
