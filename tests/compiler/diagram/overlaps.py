"""What lies over text in an SVG file: other text, borders of boxes and frames, arrows; and text that leaves its box.

Text is as wide as in Helvetica, whose widths Arial and Liberation Sans share: these are what rsvg-convert and Chromium
choose for our files, and `textLength` holds other viewers to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from compiler.diagram.text_metrics import text_width

SVG = "{http://www.w3.org/2000/svg}"
Point = tuple[float, float]
Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""

_CAPITALS, _DESCENDERS = 0.72, 0.1  # of the font size, above and below the line
_TOUCH = 0.4  # points by which things may touch


@dataclass(frozen=True)
class Text:
    """A line of text: the id of the part that it is in, and the rectangle of its letters."""

    part: str
    kind: str
    words: str
    rect: Rect

    def __str__(self) -> str:
        return f"{self.words!r} in {self.part}"


def overlaps(svg: str) -> list[str]:
    """Every pair of a text and what lies over it, in words."""
    root = ElementTree.fromstring(svg)
    texts = list(texts_of(root))
    found = [
        f"{one} on {other}"
        for one, other in combinations(texts, 2)
        if _meet(one.rect, other.rect)
    ]
    for part, line in _borders(root):
        front = re.sub(
            r"\.[12]$", "", part
        )  # of a stack, which hides what is behind it
        found += [
            f"border of {part} over {text}"
            for text in texts
            if _crosses(line, text) and not _hidden(root, part, front, text)
        ]
    found += [f"{text} leaves it" for text in _leaving(root)]
    for part, line in _arrows(root):
        found += [f"arrow {part} over {text}" for text in texts if _crosses(line, text)]
    return found


def _leaving(root: Element) -> Iterator[Text]:
    """Texts that are not wholly in the box or frame that they are of."""
    outlines: dict[str, list[Point]] = {}
    for part, line in _borders(root):
        outlines.setdefault(part, []).extend(line)
    for text in texts_of(root):
        if text.part in outlines and text.kind in ("node", "cluster"):
            across, down = zip(*outlines[text.part], strict=True)
            left, top, right, bottom = text.rect
            if not (
                min(across) <= left + _TOUCH
                and right - _TOUCH <= max(across)
                and min(down) <= top + _TOUCH
                and bottom - _TOUCH <= max(down)
            ):
                yield text


def _hidden(root: Element, part: str, front: str, text: Text) -> bool:
    """Whether a text is on the box or frame in front of a stack, and the border behind it."""
    if part == front:
        return False
    for group in root.iter(f"{SVG}g"):
        if group.get("id") == front:
            points = [
                point for shape in group for line in _outline(shape) for point in line
            ]
            across, down = zip(*points, strict=True)
            left, top, right, bottom = text.rect
            return (
                min(across) < left
                and right < max(across)
                and min(down) < top
                and bottom < max(down)
            )
    return False


def smallest_font(svg: str) -> float:
    """The size of the smallest text, in points as the file is printed."""
    root = ElementTree.fromstring(svg)
    (graph,) = root.findall(f"{SVG}g")
    found = re.search(r"scale\(([\d.]+)", graph.attrib["transform"])
    assert found is not None
    width = float(root.attrib["width"].removesuffix("pt"))
    scale = float(found[1]) * width / float(root.attrib["viewBox"].split()[2])
    return scale * min(
        float(line.attrib["font-size"])
        for line in root.iter(f"{SVG}text")
        if (line.text or "").strip()
    )


def texts_of(root: Element) -> Iterator[Text]:
    """Every line of text in a box, a frame or beside an arrow, and in the title."""
    for group in root.iter(f"{SVG}g"):
        kind = group.get("class", "").split(" ")[0]
        lines = (
            group.findall(f"{SVG}text") if kind == "graph" else group.iter(f"{SVG}text")
        )
        for line in lines:
            if (line.text or "").strip():
                words, rect = _letters(line)
                if words != "•":  # a point of an arrow
                    yield Text(group.attrib["id"], kind, words, rect)


def _letters(line: Element) -> tuple[str, Rect]:
    text, size = line.text or "", float(line.attrib["font-size"])
    bold = line.get("font-weight") == "bold"
    width = text_width(text, size, bold=bold)
    left, base = float(line.attrib["x"]), float(line.attrib["y"])
    left -= {"start": 0.0, "middle": 0.5, "end": 1.0}[
        line.get("text-anchor", "start")
    ] * width
    indent = text_width(text[: len(text) - len(text.lstrip())], size, bold=bold)
    words = text.strip()
    right = left + indent + text_width(words, size, bold=bold)
    return words, (
        left + indent,
        base - _CAPITALS * size,
        right,
        base + _DESCENDERS * size,
    )


def _meet(one: Rect, other: Rect) -> bool:
    return (
        one[0] < other[2] - _TOUCH
        and other[0] < one[2] - _TOUCH
        and one[1] < other[3] - _TOUCH
        and other[1] < one[3] - _TOUCH
    )


def _crosses(line: list[Point], text: Text) -> bool:
    """Whether a line goes through a text."""
    left, top, right, bottom = text.rect
    inner = (left + _TOUCH, top + _TOUCH, right - _TOUCH, bottom - _TOUCH)
    across = [x for x, _ in line]
    down = [y for _, y in line]
    if (
        max(across) < left
        or min(across) > right
        or max(down) < top
        or min(down) > bottom
    ):
        return False
    return any(_segment_meets(a, b, inner) for a, b in pairwise(line))


def _segment_meets(a: Point, b: Point, rect: Rect) -> bool:
    """Whether a segment goes through a rectangle: Liang and Barsky's clipping."""
    (x, y), (dx, dy) = a, (b[0] - a[0], b[1] - a[1])
    start, end = 0.0, 1.0
    for move, room in (
        (-dx, x - rect[0]),
        (dx, rect[2] - x),
        (-dy, y - rect[1]),
        (dy, rect[3] - y),
    ):
        if move == 0:
            if room < 0:
                return False
            continue
        share = room / move
        start, end = (max(start, share), end) if move < 0 else (start, min(end, share))
    return start < end


def _borders(root: Element) -> Iterator[tuple[str, list[Point]]]:
    """The outlines of boxes and frames that are seen."""
    for group in root.iter(f"{SVG}g"):
        if group.get("class", "").split(" ")[0] in ("node", "cluster"):
            for shape in group:
                if shape.get("stroke", "none") not in ("none", "transparent"):
                    for line in _outline(shape):
                        yield group.attrib["id"], line


def _arrows(root: Element) -> Iterator[tuple[str, list[Point]]]:
    for group in root.iter(f"{SVG}g"):
        if group.get("class", "").startswith("edge"):
            for shape in group:
                for line in _outline(shape):
                    yield group.attrib["id"], line


def _outline(shape: Element) -> Iterator[list[Point]]:
    match shape.tag.removeprefix(SVG):
        case "path":
            yield list(_curves(_points(shape.attrib["d"])))
        case "polygon" | "polyline":
            yield _points(shape.attrib["points"])
        case "ellipse":
            x, y, across, down = (
                float(shape.attrib[key]) for key in ("cx", "cy", "rx", "ry")
            )
            corners = [(x - across, y), (x, y - down), (x + across, y), (x, y + down)]
            if across > 4:  # a point has no outline
                yield [*corners, corners[0]]


def _points(text: str) -> list[Point]:
    numbers = [float(found) for found in re.findall(r"-?[\d.]+", text)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _curves(points: list[Point]) -> Iterator[Point]:
    for start in range(0, len(points) - 3, 3):
        for step in range(17):
            line = points[start : start + 4]
            while len(line) > 1:
                line = [_between(a, b, step / 16) for a, b in pairwise(line)]
            yield line[0]


def _between(a: Point, b: Point, part: float) -> Point:
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part
