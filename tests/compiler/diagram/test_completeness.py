"""Every layer that runs is in the picture, or inside something folded that is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.diagram.drawing import Drawing
from compiler.ir.typed import Instance
from tests.compiler.diagram.specs import SPECS
from tests.programs import chosen, compiled

Path_ = tuple[str, ...]


@pytest.mark.parametrize("spec", chosen(SPECS), ids=lambda spec: spec.stem)
def test_every_layer_is_drawn_or_inside_what_is_folded(spec: Path) -> None:
    program = compiled(spec)
    for depth in (None, 0, 1, 99):
        drawing = program.diagram(depth=depth).drawing
        if any(box.kind == "elided" for box in drawing.boxes):
            continue  # they are counted, not named
        assert [*_missing(drawing, program.typed.networks)] == []


def _missing(drawing: Drawing, networks: dict[str, Instance]) -> Iterator[Path_]:
    boxes = {path for box in drawing.boxes for path in (box.path, *box.holds)}
    frames = {cluster.path for cluster in drawing.clusters}
    for name, instance in networks.items():
        yield from _inside(instance, (name,), boxes, frames)


def _inside(
    instance: Instance, path: Path_, boxes: set[Path_], frames: set[Path_]
) -> Iterator[Path_]:
    for name, node in instance.nodes.items():
        here = (*path, name)
        if not node.calls or here in boxes:
            continue
        if here not in frames:
            yield here
        for call in node.calls:
            if call.instance is not None:
                yield from _inside(call.instance, here, boxes, frames)
