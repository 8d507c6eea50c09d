"""A diagram in all its formats."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Final

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import DiagramError
from compiler.diagram.dot import to_dot
from compiler.diagram.drawing import Drawing
from compiler.diagram.find_format import find_format, format_name
from compiler.diagram.layout_engine import LayoutEngine
from compiler.diagram.picture import Picture
from compiler.write_files import write_whole

_LARGEST_PAGE: Final = 2_000_000
"""Characters of a page that a notebook takes into its file."""


@dataclass(frozen=True, repr=False)
class Diagram:
    """A diagram of a spec; a notebook shows it."""

    name: str
    """The name of the spec."""
    drawing: Drawing
    """The diagram as data."""
    write_page: Callable[[], str] | None = None
    """Writes the HTML page of what is drawn; None where there is none."""

    @cached_property
    def svg(self) -> str:
        """The text of an SVG file.

        Raises:
            DiagramError: if the layout fails or takes too long.
        """
        return Picture(self.drawing).image("svg").decode()

    @cached_property
    def dot(self) -> str:
        """The text of a DOT file, for Graphviz."""
        return to_dot(self.drawing)

    @cached_property
    def mermaid(self) -> str:
        """The text of a Mermaid flowchart, for Markdown."""
        from compiler.diagram.mermaid import to_mermaid

        return to_mermaid(self.drawing)

    @cached_property
    def html(self) -> str:
        """The text of an HTML page: one file that loads nothing, with a diagram that folds beside the spec's text.

        Raises:
            DiagramError: if it is a picture of changes.
        """
        return Picture(self.drawing, write_page=self.write_page).page

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
        render = find_format(format_name(file))
        write_whole({file: render(Picture(self.drawing, engine, self.write_page))})

    def __repr__(self) -> str:
        return f"<Diagram of {self.name}>"

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, str]:
        """The diagram, for a notebook: a page that folds, an SVG, and a line of text."""
        from compiler.diagram.frame_html import frame_html

        bundle = {"text/plain": repr(self)}
        with suppress(DiagramError):  # too large to be laid out: the others show it
            bundle["image/svg+xml"] = self.svg
        with suppress(DiagramError):  # a picture of changes
            if len(self.html) < _LARGEST_PAGE:
                title = f"Diagram of {self.name}, which folds"
                bundle["text/html"] = frame_html(title, page=self.html)
        return bundle
