"""Drawing -> TikZ, for LaTeX: as it is laid out, with named colours and fonts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from compiler.dataclass import dataclass
from compiler.diagram.dot import PAGE_HEIGHT
from compiler.diagram.drawing import Drawing
from compiler.diagram.tex_text import OTHER_CHARACTERS, escape_tex
from compiler.diagram.text_metrics import has_widths, text_width
from compiler.diagram.themes import Theme, colour_names, theme_of

_HEAD: Final = rf"""% A diagram by LayerGraph. It needs the package tikz.
% Define \lgfont and the colours before it to have others.
\begingroup
\providecommand\lgfont{{\sffamily}}
\providecommand\lgsize[1]{{\lgfont\fontsize{{#1bp}}{{#1bp}}\selectfont}}
\providecommand\lgextra{{}}
\providecommand\lgfit[2]{{\resizebox{{#1bp}}{{\height}}{{#2}}}}% as wide as in the layout, in any font
{OTHER_CHARACTERS}
"""
_STEPS: Final = ("_draw_", "_hdraw_", "_tdraw_", "_ldraw_")
"""What Graphviz draws of a part: its outline, its heads, its text."""

Point = Sequence[float]


def to_tikz(drawing: Drawing, layout: Mapping[str, Any]) -> str:
    """Print a drawing as a group with a `tikzpicture` in it, in ASCII; all text from the spec is escaped.

    The boxes are nodes of the picture too, named by the path of their layer, such as `h-attn-c_proj`.

    Args:
        layout: what is drawn where, as `Picture.layout` gives it.
    """
    return _TikzPrinter(drawing, layout).text()


def picture_frame(layout: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of what is laid out, in points of 1/72 inch."""
    paper = next(step["points"] for step in layout["_draw_"] if "points" in step)
    across, up = zip(*paper, strict=True)
    return min(across), min(up), max(across), max(up)


def picture_scale(drawing: Drawing, layout: Mapping[str, Any]) -> float:
    """By how much a figure of a given width is smaller than it is laid out; 1 for other pictures."""
    if not drawing.width:
        return 1.0
    left, bottom, right, top = picture_frame(layout)
    return min(1.0, drawing.width / (right - left), PAGE_HEIGHT / (top - bottom))


class _TikzPrinter:
    def __init__(self, drawing: Drawing, layout: Mapping[str, Any]) -> None:
        self._drawing, self._found = drawing, layout
        self._theme: Theme = theme_of(drawing.theme)
        self._names = colour_names(self._theme)
        self._used: dict[str, str] = {}
        """Colours in the order of their use, by their names."""

    def text(self) -> str:
        body = [*self._body()]
        colours = [
            f"\\providecolor{{{name}}}{{HTML}}{{{value}}}"
            for name, value in self._used.items()
        ]
        scale = picture_scale(self._drawing, self._found)
        lines = [
            *colours,
            *([f"\\scalebox{{{scale:.4f}}}{{%"] if scale < 1 else []),
            r"\begin{tikzpicture}[x=1bp, y=1bp, line cap=round, every node/.style={inner sep=0bp, outer sep=0bp}]",
            *(f"  {line}" for line in body),
            r"  \lgextra",
            r"\end{tikzpicture}%",
            *(["}%"] if scale < 1 else []),
            r"\endgroup",
        ]
        return _HEAD + "".join(f"{line}\n" for line in lines)

    def _body(self) -> Iterator[str]:
        left, bottom, right, top = picture_frame(self._found)
        corners = f"{_point((left, bottom))} rectangle {_point((right, top))}"
        yield f"\\useasboundingbox {corners};"
        if self._theme.paper != "#ffffff":
            yield f"\\fill[{self._colour(self._theme.paper)}] {corners};"
        objects = self._found.get("objects", ())
        names = {box.id: "-".join(box.path[1:]) for box in self._drawing.boxes}
        yield from self._drawn(self._found, ("_ldraw_",))
        for one in objects:
            yield from self._drawn(one, _STEPS)
            if names.get(one["name"]):
                yield _node(one, names[one["name"]])
        for edge in self._found.get("edges", ()):
            yield from self._drawn(edge, _STEPS)

    def _drawn(self, part: Mapping[str, Any], steps: Iterable[str]) -> Iterator[str]:
        for step in steps:
            pen = _Pen()
            for one in part.get(step, ()):
                pen.set(one)
                yield from self._step(one, pen)

    def _step(self, one: Mapping[str, Any], pen: _Pen) -> Iterator[str]:
        """What one step of Graphviz draws: https://graphviz.org/docs/outputs/canon/#xdot."""
        match one["op"]:
            case "T":
                yield from self._words(one, pen)
            case "P":
                yield self._shape(f"{_joined(one['points'])} -- cycle", pen, True)
            case "p":
                yield self._shape(f"{_joined(one['points'])} -- cycle", pen, False)
            case "L":
                yield self._shape(_joined(one["points"]), pen, False)
            case "b":
                yield self._shape(_curve(one["points"]), pen, False)
            case "B":
                yield self._shape(_rounded(one["points"]), pen, True)
            case "E" | "e":
                across, up, width, height = one["rect"]
                size = f"[x radius={width:g}bp, y radius={height:g}bp]"
                filled = one["op"] == "E"
                outline = f"{_point((across, up))} circle {size}"
                yield self._shape(outline, pen, filled)

    def _shape(self, outline: str, pen: _Pen, filled: bool) -> str:
        options = [f"line width={pen.width:g}bp"]
        if pen.line:
            options.append(f"draw={self._colour(pen.line)}")
        if filled and pen.fill:
            options.append(f"fill={self._colour(pen.fill)}")
        if pen.dashed:
            options.append("dash pattern=on 3bp off 2.4bp")
        return f"\\path[{', '.join(options)}] {outline};"

    def _words(self, one: Mapping[str, Any], pen: _Pen) -> Iterator[str]:
        # A label has each backslash twice, and so has what JSON says of it.
        text = one["text"].replace(r"\\", "\\")
        words = text.strip()
        if not words:
            return
        shift = {"l": 0.0, "c": 0.5, "r": 1.0}[one["align"]] * one["width"]
        indent = text_width(text[: len(text) - len(text.lstrip())], pen.size)
        across, up = one["pt"]
        place = _point((across - shift + indent, up))
        font = f"\\lgsize{{{pen.size:g}}}" + r"\bfseries" * pen.bold
        options = f"anchor=base west, text={self._colour(pen.line)}, font={font}"
        shown = escape_tex(words)
        if has_widths(words):
            width = text_width(words, pen.size, bold=pen.bold)
            shown = f"\\lgfit{{{width:.2f}}}{{{shown}}}"
        yield f"\\node[{options}] at {place} {{{shown}}};"

    def _colour(self, value: str) -> str:
        plain = value.removeprefix("#").upper()
        name = self._names.get(value, f"lg-{plain.lower()}")
        self._used[name] = plain
        return name


@dataclass
class _Pen:
    """What the steps before have set."""

    line: str = "#000000"
    """"" draws no line."""
    fill: str = ""
    width: float = 1.0
    dashed: bool = False
    size: float = field(default=11.0)
    bold: bool = False

    def set(self, step: Mapping[str, Any]) -> None:
        """Change what a step changes."""
        match step["op"]:
            case "c":
                self.line = _opaque(step["color"])
            case "C":
                self.fill = _opaque(step["color"])
            case "F":
                self.size = step["size"]
            case "t":
                self.bold = bool(step["fontchar"] & 1)
            case "S" if step["style"].startswith("setlinewidth("):
                self.width = float(step["style"][13:-1])
            case "S":
                self.dashed = step["style"] == "dashed"


def _opaque(colour: str) -> str:
    """A colour; "" for a transparent one, which has eight digits."""
    return "" if len(colour) == 9 and colour.endswith("00") else colour[:7]


def _node(one: Mapping[str, Any], name: str) -> str:
    """A box as a node, for arrows and labels that an author adds."""
    width, height = (72 * float(one[side]) for side in ("width", "height"))
    size = f"minimum width={width:.2f}bp, minimum height={height:.2f}bp"
    across, up = map(float, one["pos"].split(","))
    return f"\\node[{size}] ({name}) at {_point((across, up))} {{}};"


def _rounded(points: Sequence[Point]) -> str:
    """The rectangle with round corners that Graphviz gives as curves."""
    across, up = zip(*points, strict=True)
    radius = points[0][0] - min(across)
    radius = min(radius, max(across) - points[0][0])
    corners = _point((min(across), min(up))), _point((max(across), max(up)))
    return f"[rounded corners={radius:.2f}bp] {corners[0]} rectangle {corners[1]}"


def _curve(points: Sequence[Point]) -> str:
    first, *rest = map(_point, points)
    thirds = zip(rest[0::3], rest[1::3], rest[2::3], strict=True)
    parts = (f".. controls {a} and {b} .. {end}" for a, b, end in thirds)
    return " ".join((first, *parts))


def _joined(points: Sequence[Point]) -> str:
    return " -- ".join(map(_point, points))


def _point(point: Point) -> str:
    return f"({point[0]:.2f},{point[1]:.2f})"
