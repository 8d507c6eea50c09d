"""DOT: text is escaped, output is deterministic, and labels overlap nothing."""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from compiler.diagram.dot import to_dot
from compiler.diagram.drawing import Box, Caption, Cluster, Drawing, Edge
from compiler.diagram.layout_engine import render_dot
from compiler.diagram.text_metrics import text_width
from compiler.diagram.themes import THEMES, Theme
from tests.compiler.diagram.specs import SPECS, drawing
from tests.programs import chosen, compiled

HOSTILE = "<script>&\"'</B>\\N\\G{|}]\\"
SVG = "{http://www.w3.org/2000/svg}"

Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def hostile() -> Drawing:
    caption = Caption(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,))
    boxes = (
        Box("n0", "input", caption),
        Box("n1", "layer", caption, family=HOSTILE, cluster="c0", tooltip=HOSTILE),
        Box("n2", "block", caption, error=HOSTILE, optional=True),
        Box("n3", "join", caption),
        Box("n4", "port", caption),
        Box("n5", "elided", caption),
    )
    edges = (Edge("n0", "n1", HOSTILE), Edge("n1", "n2", HOSTILE, "tie"))
    return Drawing(caption, boxes, (Cluster("c0", caption, tooltip=HOSTILE),), edges)


def test_text_is_escaped() -> None:
    root = ElementTree.fromstring(render_dot(to_dot(hostile()), "svg"))
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {
        "svg",
        "g",
        "polygon",
        "path",
        "text",
        "title",
        "a",
        "ellipse",
        "polyline",
    }
    shown = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert sum(HOSTILE in text for text in shown) >= 10


def test_control_characters_and_new_lines_are_escaped(tmp_path: Path) -> None:
    drawn = drawing(
        tmp_path,
        r"""
        name: Net
        description: "one\ntwo 模型 <b>"
        inputs: {x: "float[B, 8]"}
        layers:
          fc: {op: relu, description: "a\nb"}
        """,
    )
    assert drawn.title.lines[0] == r"one\ntwo 模型 <b>"
    ElementTree.fromstring(render_dot(to_dot(drawn), "svg"))


def test_the_output_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "from compiler import compile_spec;"
        "print(compile_spec('specs/transformer.yaml').diagram().dot)"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    )
    assert first == second != b""


def test_drawing_needs_no_torch() -> None:
    program = "import sys, compiler.diagram.diagram; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_every_theme_and_direction_draws(theme: str, direction: str) -> None:
    options = {"theme": theme, "direction": direction}
    drawn = compiled("gpt2").diagram(**options)  # type: ignore[arg-type]
    assert render_dot(drawn.dot, "png")


@pytest.mark.parametrize("spec", chosen(SPECS), ids=lambda spec: spec.stem)
def test_no_edge_crosses_a_title_and_the_main_path_is_straight(spec: Path) -> None:
    root = _drawn(spec)
    titles = list(_titles(root))
    for kind, path in _edges(root):
        assert not [title for title in titles if any(_inside(at, title) for at in path)]
        across = [x for x, _ in path]
        assert "lg-main" not in kind.split() or max(across) - min(across) < 1.5


@pytest.mark.parametrize("spec", chosen(SPECS), ids=lambda spec: spec.stem)
def test_no_edge_label_crosses_a_border(spec: Path) -> None:
    root = _drawn(spec)
    borders = [side for frame in _clusters(root) for side in _sides(frame)]
    for label, rect in _edge_labels(root):
        across = [side for side in borders if _overlap(side, rect)]
        assert not across, label


@cache
def _drawn(spec: Path) -> ElementTree.Element:
    return ElementTree.fromstring(compiled(spec).diagram().svg)


def _clusters(root: ElementTree.Element) -> Iterator[Rect]:
    """The borders of clusters."""
    for cluster in root.iterfind(f".//{SVG}g[@class='cluster']"):
        outline = cluster.find(f".//{SVG}path")
        assert outline is not None
        numbers = _numbers(outline)
        across, down = numbers[::2], numbers[1::2]
        yield min(across), min(down), max(across), max(down)


def _sides(frame: Rect) -> Iterator[Rect]:
    left, top, right, bottom = frame
    yield from ((x, top, x, bottom) for x in (left, right))
    yield from ((left, y, right, y) for y in (top, bottom))


def _edge_labels(root: ElementTree.Element) -> Iterator[tuple[str, Rect]]:
    """The labels of edges, each with the rectangle of its letters."""
    for group in root.iter(f"{SVG}g"):
        if not group.get("class", "").startswith("edge"):
            continue
        for line in group.iter(f"{SVG}text"):
            label = line.text or ""
            width = text_width(label, 9)
            left, base = float(line.get("x", "0")), float(line.get("y", "0"))
            left -= 0 if line.get("text-anchor") == "start" else width / 2
            indent = text_width(label[: -len(label.lstrip())], 9)
            yield label, (left + indent, base - 6, left + width, base)


def _overlap(one: Rect, other: Rect) -> bool:
    return (
        one[0] < other[2]
        and other[0] < one[2]
        and one[1] < other[3]
        and other[1] < one[3]
    )


def _titles(root: ElementTree.Element) -> Iterator[Rect]:
    for cluster in root.iterfind(f".//{SVG}g[@class='cluster']"):
        for text in cluster.iter(f"{SVG}text"):
            size = float(text.get("font-size", "12"))
            left, base = float(text.get("x", "0")), float(text.get("y", "0"))
            yield (
                left,
                base - size * 0.7,
                left + 0.5 * size * len(text.text or ""),
                base,
            )


def _edges(
    root: ElementTree.Element,
) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """Every edge: its class, and points along it."""
    for group in root.iter(f"{SVG}g"):
        kind = group.get("class", "")
        for path in group.iter(f"{SVG}path") if kind.startswith("edge") else ():
            numbers = _numbers(path)
            points = list(zip(numbers[::2], numbers[1::2], strict=True))
            starts = range(0, len(points) - 3, 3)
            yield (
                kind,
                [at for start in starts for at in _curve(points[start : start + 4])],
            )


def _numbers(path: ElementTree.Element) -> list[float]:
    return [float(found) for found in re.findall(r"-?[\d.]+", path.get("d", ""))]


def _curve(points: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    for step in range(21):
        line = points
        while len(line) > 1:
            line = [_between(a, b, step / 20) for a, b in pairwise(line)]
        yield line[0]


def _between(
    a: tuple[float, float], b: tuple[float, float], part: float
) -> tuple[float, float]:
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part


def _inside(at: tuple[float, float], box: Rect) -> bool:
    return box[0] < at[0] < box[2] and box[1] < at[1] < box[3]


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_an_error_has_a_colour_of_its_own(theme: Theme) -> None:
    red, green, blue = (int(theme.fault[at : at + 2], 16) for at in (1, 3, 5))
    assert red > 2 * max(green, blue) or red > green + blue
    assert theme.fault not in (theme.ink, theme.line, theme.muted, theme.tie)


@pytest.mark.parametrize("spec", chosen(SPECS), ids=lambda spec: spec.stem)
def test_no_text_and_no_box_is_over_another(spec: Path) -> None:
    root = _drawn(spec)
    texts, boxes = list(_texts(root)), list(_boxes(root))
    over = [
        (one, other)
        for (_, one, first), (_, other, second) in combinations(texts, 2)
        if _overlap(first, second)
    ]
    assert not over
    assert not [pair for pair in combinations(boxes, 2) if _overlap(*pair)]
    labels = [(text, rect) for kind, text, rect in texts if kind == "edge"]
    assert not [text for text, rect in labels if any(_overlap(rect, b) for b in boxes)]


def _texts(root: ElementTree.Element) -> Iterator[tuple[str, str, Rect]]:
    """Every text, with what it belongs to and the rectangle of its letters."""
    for group in root.iter(f"{SVG}g"):
        kind = group.get("class", "").split(" ")[0]
        if kind not in ("node", "edge", "cluster"):
            continue
        for line in group.iter(f"{SVG}text"):
            text, size = line.text or "", float(line.get("font-size", "14"))
            bold = line.get("font-weight") == "bold"
            width = text_width(text, size, bold=bold)
            left, base = float(line.get("x", "0")), float(line.get("y", "0"))
            left -= 0 if line.get("text-anchor") == "start" else width / 2
            before = text_width(text[: -len(text.lstrip()) or None], size, bold=bold)
            shown = text_width(text.strip(), size, bold=bold)
            if text.strip():
                left += before if text != text.lstrip() else 0
                yield (
                    kind,
                    text.strip(),
                    (left, base - 0.72 * size, left + shown, base + 0.1 * size),
                )


def _boxes(root: ElementTree.Element) -> Iterator[Rect]:
    for group in root.iterfind(f".//{SVG}g[@class='node']"):
        outline, circle = group.find(f".//{SVG}path"), group.find(f".//{SVG}ellipse")
        if outline is not None:
            numbers = _numbers(outline)
            across, down = numbers[::2], numbers[1::2]
            yield min(across), min(down), max(across), max(down)
        elif circle is not None:
            x, y, rx, ry = (
                float(circle.get(key, "0")) for key in ("cx", "cy", "rx", "ry")
            )
            yield x - rx, y - ry, x + rx, y + ry
