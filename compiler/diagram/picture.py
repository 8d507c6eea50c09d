"""A drawing that is laid out: what the formats print."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import DiagramError
from compiler.diagram.annotate_svg import annotated_svg
from compiler.diagram.dot import to_dot
from compiler.diagram.drawing import Drawing
from compiler.diagram.layout_engine import (
    ImageFormat,
    LayoutEngine,
    LayoutTooLargeError,
    render_dot,
)
from compiler.diagram.place_labels import labels_placed
from compiler.diagram.side_by_side import arranged


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing, and the program that lays it out."""

    drawing: Drawing
    engine: LayoutEngine = "wheel"
    """The `dot` program: of the wheel or of the system."""
    write_page: Callable[[], str] | None = None
    """Writes the HTML page of what is drawn; None where there is none."""

    @property
    def page(self) -> str:
        """The HTML page of what is drawn.

        Raises:
            DiagramError: if there is none, as of the changes between two specs.
        """
        if self.write_page is None:
            raise DiagramError("a picture of changes has no HTML page: save it as .svg")
        return self.write_page()

    @property
    def layout(self) -> Mapping[str, Any]:
        """Where all stands and what is drawn there, as Graphviz writes it in JSON.

        Raises:
            DiagramError: as `image`.
        """
        found: Mapping[str, Any] = json.loads(self.image("json"))
        return found

    def image(self, format: ImageFormat) -> bytes:
        """The picture as Graphviz renders it; an SVG is completed to one that is fit to publish.

        Raises:
            DiagramError: if the layout fails or takes too long.
        """
        title = self.drawing.title
        try:
            drawing, layout = labels_placed(
                self.drawing, arranged(self.drawing, self.engine)
            )
            image = render_dot(
                to_dot(drawing, layout),
                format,
                laid_out=True,
                engine=self.engine,
                title=title.name,
                subject=title.lines[0] if title.lines else "",
            )
        except LayoutTooLargeError as error:
            largest = self.drawing.largest
            advice = f": {largest} is too large, fold it or draw a block alone"
            raise DiagramError(f"{error}{advice if largest else ''}") from None
        if format == "svg":
            return annotated_svg(image.decode(), self.drawing).encode()
        return image
