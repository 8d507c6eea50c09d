"""`--block` takes every name that a picture prints."""

from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import RequestError
from tests.compiler.diagram.specs import SPECS
from tests.programs import chosen, compiled


@pytest.mark.parametrize("spec", chosen(SPECS), ids=lambda spec: spec.stem)
def test_every_block_is_drawn_by_the_path_of_its_layer(spec: Path) -> None:
    program = compiled(spec)
    drawn = program.diagram().drawing
    opened = [cluster.path for cluster in drawn.clusters]
    folded = [box.path for box in drawn.boxes if box.kind == "block"]
    for path in (*opened, *folded):
        name = ".".join(path[1:]) or path[0]
        part = program.diagram(block=name, depth=0).drawing
        assert any(box.kind in ("layer", "block", "join") for box in part.boxes), name


def test_a_name_that_several_blocks_have_is_asked_for_with_its_path() -> None:
    program = compiled("bart_base")
    with pytest.raises(
        RequestError, match="layers is several blocks: DecoderLayer, EncoderLayer"
    ):
        program.diagram(block="layers")
    assert (
        program.diagram(block="decoder.layers").drawing.title.name == "decoder.layers"
    )
