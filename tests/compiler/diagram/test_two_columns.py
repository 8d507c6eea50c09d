"""Encoder and decoder are two columns from the top, and networks of a file are joined where they meet."""

import pytest

from compiler.diagram.geometry import Curve
from compiler.diagram.side_by_side import arranged
from compiler.diagram.two_columns import two_columns
from tests.compiler.diagram.overlaps import overlaps
from tests.compiler.diagram.specs import SPECS
from tests.programs import compiled

SEQUENCES = (
    "bart_base",
    "encoder_decoder",
    "pegasus",
    "pointer_generator",
    "t5_small",
    "transformer",
    "whisper_tiny",
)
STARTS = {"source", "spectrogram"}, {"target", "tokens"}


@pytest.mark.parametrize("spec", ["t5_small", "transformer", "whisper_tiny"])
def test_encoder_and_decoder_are_beside_each_other(spec: str) -> None:
    drawn = compiled(spec).diagram()
    drawing = drawn.drawing
    layout, pair = arranged(drawing, "wheel"), two_columns(drawing)
    assert pair is not None
    inputs = {box.caption.name: box.id for box in drawing.boxes if box.kind == "input"}
    left, right = (
        layout.box(next(inputs[name] for name in names if name in inputs))
        for names in STARTS
    )
    assert left.right < right.left and abs(left.high - right.high) < 2
    across = [edge for edge in drawing.edges if pair.is_across(edge)]
    assert across
    for edge in across:
        (place,) = layout.edges[edge.source, edge.target]
        points = Curve.of(place["pos"]).points
        source, target = layout.box(edge.source), layout.box(edge.target)
        assert points[0][0] == pytest.approx(source.right, abs=0.1)
        assert points[-1][0] <= target.right and points[-1][1] <= target.high + 0.1
    assert overlaps(drawn.svg) == []


def test_columns_are_those_of_encoders_with_decoders() -> None:
    found = {
        spec.stem for spec in SPECS if two_columns(compiled(spec).diagram().drawing)
    }
    assert found == set(SEQUENCES)


@pytest.mark.parametrize(
    ("spec", "output", "input"),
    [
        ("gan", "image", "image"),
        ("cyclegan", "translated", "image"),
        ("clip", "text_embeds", "text_embeds"),
    ],
)
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_networks_are_joined_where_they_meet(
    spec: str, output: str, input: str, direction: str
) -> None:
    drawn = compiled(spec).diagram(direction=direction)  # type: ignore[arg-type]
    boxes = {box.id: box for box in drawn.drawing.boxes}
    joined = [
        (boxes[edge.source], boxes[edge.target])
        for edge in drawn.drawing.edges
        if edge.kind == "meet"
    ]
    assert (output, input) in [(a.caption.name, b.caption.name) for a, b in joined]
    assert all((a.kind, b.kind) == ("output", "input") for a, b in joined)
    assert overlaps(drawn.svg) == []


def test_networks_of_other_types_are_not_joined() -> None:
    kinds = [edge.kind for edge in compiled("electra").diagram().drawing.edges]
    assert "meet" not in kinds
