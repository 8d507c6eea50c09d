"""Detection: boxes, their losses, what is found, and its files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from compiler.pipeline import compile_spec
from compiler.tasks.kinds.detection import Detection
from layergraph.commands.predict import with_files
from runtime.data.dataset import DataSplits, TensorExamples
from runtime.data.fit_boxes import boxes_in_image, boxes_in_input
from runtime.load import build_networks
from runtime.tasks.average_precision import Detections, average_precision
from runtime.tasks.box_overlap import cell_centers, giou, iou, pairwise_iou, suppress
from runtime.tasks.detection import Cells, DetectionLearner, detections, owners

NETWORK = """\
name: Tiny
dims: {H: {multiple_of: 4}, W: {multiple_of: 4}}
inputs: {image: "float[B, 1, H, W]"}
layers:
  conv1: {op: conv2d, out_channels: 16, kernel_size: 4, stride: 4}
  act1: relu
  conv2: {op: conv2d, out_channels: 16, kernel_size: 3, padding: 1}
  act2: relu
  what: {op: conv2d, out_channels: 2, kernel_size: 3, padding: 1}
  where: {op: conv2d, out_channels: 4, kernel_size: 3, padding: 1, in: act2}
outputs: {logits: what, boxes: where}
task:
  kind: detection
  data: {box_folder: {path: none.json, size: 32, channels: 1, classes: [dark, bright]}}
"""


@pytest.fixture
def learner(tmp_path: Path) -> DetectionLearner:
    file = tmp_path / "tiny.yaml"
    file.write_text(NETWORK)
    found = compile_spec(file)
    assert isinstance(found.task, Detection)
    torch.manual_seed(0)
    metadata = {"classes": ["dark", "bright"], "range": "0..1"}
    networks = build_networks(found)
    return DetectionLearner(found.task, found.typed.networks, networks, metadata)


def squares(count: int) -> dict[str, Tensor]:
    """Images with a dark and a bright square, one of which may be missing."""
    generator = torch.Generator().manual_seed(1)
    image = torch.rand(count, 1, 32, 32, generator=generator) * 0.1
    boxes = torch.full((count, 2, 5), -1.0)
    for row, one in enumerate(boxes):
        for label in range(row % 2, 2):
            half = 16 * label
            left = half + int(torch.randint(0, 6, (), generator=generator))
            top = int(torch.randint(0, 20, (), generator=generator))
            side = int(torch.randint(7, 11, (), generator=generator))
            image[row, 0, top : top + side, left : left + side] = 0.5 + 0.5 * label
            one[label] = torch.tensor([left, top, left + side, top + side, label])
    return {"image": image, "boxes": boxes}


def test_overlaps_by_hand() -> None:
    one = torch.tensor([0.0, 0, 4, 4])
    others = torch.tensor([[0.0, 0, 4, 4], [2, 2, 6, 6], [4, 0, 8, 4], [8, 0, 12, 4]])
    assert iou(one, others).tolist() == pytest.approx([1, 4 / 28, 0, 0])
    # What the hull has besides the union: 36 - 28, 32 - 32, 48 - 32.
    expected = [1, 4 / 28 - 8 / 36, 0, -16 / 48]
    assert giou(one, others).tolist() == pytest.approx(expected)
    assert pairwise_iou(others, others).diagonal().tolist() == pytest.approx([1] * 4)


def test_the_best_of_overlapping_boxes_stays() -> None:
    generator = torch.Generator().manual_seed(0)
    low = torch.rand(60, 2, generator=generator) * 20
    boxes = torch.cat([low, low + 3 + 6 * torch.rand(60, 2, generator=generator)], 1)
    scores = torch.rand(60, generator=generator)
    labels = torch.randint(0, 2, (60,), generator=generator)
    kept: list[int] = []
    for row in sorted(range(60), key=lambda row: -float(scores[row])):
        rivals = [one for one in kept if labels[one] == labels[row]]
        if all(float(iou(boxes[one], boxes[row])) <= 0.3 for one in rivals):
            kept.append(row)
    assert suppress(boxes, scores, labels, 0.3).tolist() == kept
    assert 10 < len(kept) < 50
    assert suppress(boxes[:0], scores[:0], labels[:0], 0.3).tolist() == []


def test_which_cells_learn_an_object() -> None:
    centers, cell = cell_centers(8, 8, (32, 32), torch.zeros(()))
    assert cell.tolist() == [4, 4] and centers[9].tolist() == [6, 6]
    truth = torch.tensor(
        [
            # A large box, a small one inside of it, one smaller than a cell, and none.
            [[0.0, 0, 32, 32, 0], [12, 12, 20, 20, 1], [0, 0, 2, 2, 1], [-1] * 5],
        ]
    )
    grid = owners(truth, centers, cell)[0].view(8, 8)
    expected = torch.full((8, 8), -1)
    # The middles of these cells are within 6 pixels of the middle of the large box; the small box is smaller.
    expected[3:5, 3:5] = 1
    expected[0, 0] = 2
    assert grid.tolist() == expected.tolist()
    alone = owners(truth[:, :1], centers, cell)[0].view(8, 8)
    assert (alone == 0).sum() == 4 and alone[3:5, 3:5].tolist() == [[0, 0], [0, 0]]
    assert (owners(truth[:, :0], centers, cell) == -1).all()


def test_losses_by_hand(learner: DetectionLearner) -> None:
    """Where all boxes are right and all scores 1 / 2, the losses are known."""
    centers, cell = cell_centers(8, 8, (32, 32), torch.zeros(()))
    truth = torch.tensor([[[12.0, 12, 20, 20, 1]]])
    logits = torch.zeros(1, 64, 2)
    boxes = truth[:, :, :4].expand(1, 64, 4)
    scores, sides = learner._losses(Cells(logits, boxes, centers, cell), truth)
    assert float(sides) == pytest.approx(0, abs=1e-6)
    # |y - 1/2|² · log 2 for each class and cell, whether y is 0 or 1.
    assert float(scores) == pytest.approx(128 * 0.25 * np.log(2), rel=1e-5)
    batch = {"image": torch.zeros(1, 1, 32, 32), "boxes": truth}
    assert learner.num_items(batch) == 1
    empty = {"image": torch.zeros(1, 1, 32, 32), "boxes": truth[:, :0]}
    assert learner.num_items(empty) == 1
    assert torch.isfinite(learner.loss("", empty, 0.0))


def test_training_beats_the_baseline(learner: DetectionLearner) -> None:
    given = squares(40)
    learner.setup(_as_data(squares(6)))
    optimizer = torch.optim.Adam(learner.network.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        loss = learner.loss("", given, 0.0) / learner.num_items(given)
        torch.autograd.backward(loss)
        optimizer.step()
    with torch.no_grad():
        found = learner.evaluate([given], final=True)
        during = learner.evaluate([given], final=False)
    assert found["map_50"] > 0.9 > found["map_50.nearest"]
    assert found["map"] > 0.4 > found["map.nearest"]
    named = [found[f"map.{name}"] for name in ("dark", "bright")]
    assert found["map"] == pytest.approx(sum(named) / 2, abs=1e-5)
    assert during.keys() == {"loss", "map", "map_50"}


def _as_data(given: dict[str, Tensor]) -> DataSplits:
    examples = TensorExamples(given)
    facts = Detection.model_validate(
        {"kind": "detection", "data": {"digit_scenes": {"form": "boxed images"}}}
    ).facts()
    return DataSplits(examples, examples, facts)


def test_the_baseline_finds_what_it_has_seen(learner: DetectionLearner) -> None:
    given = squares(6)
    learner.setup(_as_data(given))
    with torch.no_grad():
        found = learner.evaluate([given], final=True)
    assert found["map.nearest"] == pytest.approx(1)


def test_precision_of_what_is_all_right_and_of_nothing() -> None:
    truth = [_objects(one) for one in squares(4)["boxes"]]
    assert average_precision(truth, truth, 3)[:2].tolist() == [[1.0] * 10] * 2
    assert average_precision(truth, truth, 3)[2].isnan().all()
    none = [Detections(torch.zeros(0, 4), torch.zeros(0).long(), torch.zeros(0))] * 4
    assert average_precision(none, truth, 2).tolist() == [[0.0] * 10] * 2
    assert average_precision(truth, none, 2).isnan().all()


def test_an_object_is_found_once() -> None:
    truth = [_objects(torch.tensor([[0.0, 0, 10, 10, 0]]))]
    twice = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9]])
    labels, scores = torch.zeros(2).long(), torch.tensor([0.9, 0.8])
    found = average_precision([Detections(twice, labels, scores)], truth, 1)
    assert found[0, 0] == 1  # the second is wrong, but below a recall of 1 already
    turned = Detections(twice, labels, scores.flip(0))
    strict = average_precision([turned], truth, 1)
    assert strict[0, 0] == 1 and strict[0, -1] == pytest.approx(0.5)


def _objects(rows: Tensor) -> Detections:
    there = rows[rows[:, 4] >= 0]
    return Detections(there[:, :4], there[:, 4].long(), torch.ones(len(there)))


def test_found_boxes_are_inside_of_the_image(learner: DetectionLearner) -> None:
    image = squares(3)["image"]
    with torch.no_grad():
        found = detections(learner.cells(image), image)
    assert len(found) == 3 and len(found[0].scores) > 0
    for one in found:
        assert one.boxes.min() >= 0 and one.boxes.max() <= 32
        assert (one.scores[1:] <= one.scores[:-1]).all() and len(one.scores) <= 100


@pytest.mark.parametrize("fit", ["stretch", "pad"])
@pytest.mark.parametrize("size", [(80, 40), (40, 80), (32, 32), (33, 97)])
def test_boxes_move_with_their_images(fit: str, size: tuple[int, int]) -> None:
    """A bright rectangle of an image that is fitted is where its box is."""
    from runtime.data.images import resized

    left, top, right, bottom = (
        size[0] // 4,
        size[1] // 3,
        size[0] // 2,
        2 * size[1] // 3,
    )
    values = np.zeros((size[1], size[0]), np.uint8)
    values[top:bottom, left:right] = 255
    square = np.array(resized(Image.fromarray(values), (64, 64), fit, nearest=True))  # type: ignore[arg-type]
    box = torch.tensor([[left, top, right, bottom]]).float()
    moved = boxes_in_input(box, size, (64, 64), fit)  # type: ignore[arg-type]
    rows, columns = square.any(1).nonzero()[0], square.any(0).nonzero()[0]
    drawn = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
    assert (moved[0] - torch.tensor(drawn)).abs().max() <= 1.5
    back = boxes_in_image(moved, (64, 64), size, fit)  # type: ignore[arg-type]
    torch.testing.assert_close(back, box)


def test_predictions_are_in_pixels_of_the_file(
    learner: DetectionLearner, tmp_path: Path
) -> None:
    given = squares(40)
    optimizer = torch.optim.Adam(learner.network.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        loss = learner.loss("", given, 0.0) / learner.num_items(given)
        torch.autograd.backward(loss)
        optimizer.step()
    values = (given["image"][0, 0] * 255).byte().numpy()
    large = Image.fromarray(values).resize((96, 64), Image.Resampling.NEAREST)
    large.save(tmp_path / "photo.png")
    predictions = learner.predict([str(tmp_path / "photo.png")])
    truth = given["boxes"][0, :, :4] * torch.tensor([3, 2, 3, 2])
    found = {
        one["class"]: torch.tensor(one["box"]) for one in predictions[0]["objects"]
    }
    for name, box in zip(("dark", "bright"), truth, strict=True):
        assert float(iou(found[name], box)) > 0.5
    (shown,) = with_files(predictions, tmp_path / "out")
    with Image.open(shown["boxes"]) as picture:
        assert picture.size == (162, 162) and picture.mode in ("RGB", "RGBA")
    assert "boxes" not in with_files(predictions, None)[0]


def test_samples_show_what_is_there_and_what_was_found(
    learner: DetectionLearner,
) -> None:
    with torch.no_grad():
        ((name, picture),) = learner.samples([squares(6)], 2).items()
    assert name == "epoch-002.png" and isinstance(picture, bytes)
    image = Image.open(io.BytesIO(picture))
    assert image.size == (6 * 162, 2 * 162)
    colours = np.array(image.convert("RGB")).reshape(-1, 3)
    assert (colours.max(1) != colours.min(1)).any()  # grey images, coloured boxes
