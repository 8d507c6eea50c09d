"""Query, key and value are beside each other: in this order, of one width, at one height."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.diagram.drawing import Box, Drawing
from compiler.diagram.geometry import Curve
from compiler.diagram.side_by_side import arranged
from tests.compiler.diagram.specs import SPECS
from tests.programs import compiled

SAMPLE = ("bert", "gemma3", "gpt_neox", "gpt_oss", "qwen3_moe", "t5_small")
ROLES = ("query", "key", "value")


def _projections(drawing: Drawing) -> Iterator[list[list[Box]]]:
    """For each attention, the boxes from which query, key and value come, in the spec's order, by what feeds them."""
    boxes = {box.id: box for box in drawing.boxes}
    sources: dict[str, dict[str, str]] = {}
    for edge in drawing.edges:
        if edge.kind in ("flow", "skip"):
            role = edge.names.split(" → ")[-1] or boxes[edge.source].caption.name
            sources.setdefault(edge.target, {})[role] = edge.source
    for box in drawing.boxes:
        given = sources.get(box.id, {})
        near = [given[role] for role in ROLES if role in given]
        if box.family != "attention" or len(near) < 2:
            continue
        found = {_first(name, box, boxes, sources) for name in near}
        if len(found) == 1:
            found = set(near) - found
        rows: dict[object, list[Box]] = {}
        for one in drawing.boxes:
            if one.id in found and one.cluster == box.cluster:
                feeds = frozenset(sources.get(one.id, {}).values())
                rows.setdefault((one.op, feeds), []).append(one)
        if beside := [row for row in rows.values() if len(row) > 1]:
            yield beside


def _first(
    name: str,
    attention: Box,
    boxes: dict[str, Box],
    sources: dict[str, dict[str, str]],
) -> str:
    """The linear layer at the start of the chain that ends in a box, or the box itself."""
    at = name
    while boxes[at].op != "linear":
        above = [
            one
            for one in sources.get(at, {}).values()
            if boxes[one].cluster == attention.cluster
            and boxes[one].kind in ("layer", "block")
        ]
        if len(above) != 1:
            return name
        at = above[0]
    return at


def _faults(spec: str | Path) -> tuple[int, list[str]]:
    """How many attentions have projections, and those where these are not beside each other."""
    drawing = compiled(spec).diagram().drawing
    layout = arranged(drawing, "wheel")
    frames, faults = 0, []
    for rows in _projections(drawing):
        frames += 1
        for row in rows:
            places = [layout.box(box.id) for box in row]
            across = [place.left for place in places]
            wide = [place.right - place.left for place in places]
            low = [place.low for place in places]
            if (
                across != sorted(across)
                or max(wide) - min(wide) > 0.1
                or max(low) - min(low) > 0.1
            ):
                faults.append(".".join(row[0].path))
    return frames, faults


@pytest.mark.parametrize("spec", SAMPLE)
def test_query_key_and_value_are_beside_each_other(spec: str) -> None:
    frames, faults = _faults(spec)
    assert frames and faults == []


@pytest.mark.deep
def test_they_are_in_all_architectures() -> None:
    found = {spec.stem: _faults(spec) for spec in SPECS}
    assert sum(frames for frames, _ in found.values()) >= 38
    assert {spec: faults for spec, (_, faults) in found.items() if faults} == {}


@pytest.mark.parametrize("spec", ["gpt_oss", "mixtral", "qwen3_moe"])
def test_value_is_led_to_attention_beside_query_and_key(spec: str) -> None:
    drawing = compiled(spec).diagram().drawing
    layout = arranged(drawing, "wheel")
    boxes = {box.id: box for box in drawing.boxes}
    (value,) = (
        edge
        for edge in drawing.edges
        if edge.names.startswith("value") and boxes[edge.target].op == "attention"
    )
    (place,) = layout.edges[value.source, value.target]
    source, target = layout.box(value.source), layout.box(value.target)
    assert source.left > target.left
    points = Curve.of(place["pos"]).points
    assert all(target.left < x < source.right for x, _ in points)
