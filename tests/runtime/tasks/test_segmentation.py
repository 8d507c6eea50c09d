from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import confusion_matrix as sklearn_confusion
from sklearn.metrics import jaccard_score
from torch.nn import functional as F

from compiler.pipeline import compile_spec
from compiler.tasks.data_facts import DataFacts
from compiler.tasks.image_data import Fit
from compiler.tasks.kinds.segmentation import Segmentation
from layergraph.commands.predict import with_files
from runtime.data.dataset import Batch, DataSplits, TensorExamples
from runtime.load import build_networks
from runtime.tasks.segmentation import (
    SegmentationLearner,
    confusion_matrix,
    fit_back,
    intersection_over_union,
    mean_iou,
)
from tests.runtime.data.section import read

NETWORK = """\
name: Tiny
inputs: {image: "float[B, 1, H, W]"}
layers:
  conv1: {op: conv2d, out_channels: 8, kernel_size: 3, padding: 1}
  act: relu
  conv2: {op: conv2d, out_channels: 3, kernel_size: 3, padding: 1}
outputs: {logits: conv2}
task:
  kind: segmentation
  data: {mask_folder: {path: none, size: 8, channels: 1, classes: [none, dark, bright]}}
"""


@pytest.fixture
def learner(tmp_path: Path) -> SegmentationLearner:
    file = tmp_path / "tiny.yaml"
    file.write_text(NETWORK)
    found = compile_spec(file)
    assert isinstance(found.task, Segmentation)
    torch.manual_seed(0)
    metadata = {"classes": ["none", "dark", "bright"], "range": "0..1"}
    networks = build_networks(found)
    return SegmentationLearner(found.task, found.typed.networks, networks, metadata)


def batch(count: int = 6) -> Batch:
    """Noise in which class 1 is near 0.4, and class 2 near 0.8."""
    generator = torch.Generator().manual_seed(1)
    mask = torch.randint(0, 3, (count, 2, 2), generator=generator)
    mask = mask.repeat_interleave(4, 1).repeat_interleave(4, 2)
    noise = torch.rand(count, 8, 8, generator=generator) * 0.1
    image = (mask * 0.4 + noise)[:, None]
    mask = mask.clone()
    mask[:, 0, 0] = -1
    return {"image": image, "mask": mask}


def test_the_loss_is_that_of_torch(learner: SegmentationLearner) -> None:
    given = batch()
    logits = learner.network(given["image"])
    expected = F.cross_entropy(logits, given["mask"], ignore_index=-1)
    found = learner.loss("", given, 0.0) / learner.num_items(given)
    torch.testing.assert_close(found, expected)
    assert learner.num_items(given) == 6 * 63


def test_iou_is_that_of_sklearn() -> None:
    generator = torch.Generator().manual_seed(0)
    truth, found = torch.randint(0, 4, (2, 5, 6, 7), generator=generator)
    confusion = confusion_matrix(truth, found, 6)
    flat = truth.flatten().numpy(), found.flatten().numpy()
    assert (confusion.numpy() == sklearn_confusion(*flat, labels=range(6))).all()
    ious = intersection_over_union(confusion)
    expected = jaccard_score(*flat, labels=range(4), average=None)
    assert ious[:4].tolist() == pytest.approx(expected.tolist())
    assert ious[4:].isnan().all()
    assert mean_iou(confusion) == pytest.approx(expected.mean())


def test_pixels_that_do_not_count(learner: SegmentationLearner) -> None:
    truth, found = torch.tensor([[0, -1, 1]]), torch.tensor([[0, 2, 1]])
    assert confusion_matrix(truth, found, 3).sum() == 2


def test_training_beats_the_baselines(learner: SegmentationLearner) -> None:
    data = read("{digit_scenes: {count: 3, held_out: 2, size: 32}}")
    assert data.metadata["classes"][:2] == ["background", "0"]
    given = batch(30)
    mask = given["mask"].clamp(min=0)
    given["image"][(mask == 1)[:, None]] = 0.8 * torch.rand(int((mask == 1).sum()))
    learner.setup(_as_data(given))
    optimizer = torch.optim.Adam(learner.network.parameters(), lr=0.02)
    for _ in range(150):
        optimizer.zero_grad()
        loss = learner.loss("", given, 0.0) / learner.num_items(given)
        torch.autograd.backward(loss)
        optimizer.step()
    with torch.no_grad():
        found = learner.evaluate([given], final=True)
        during = learner.evaluate([given], final=False)
        assert found["iou"] > found["iou.nearest"] > found["iou.majority"]
    assert {"iou.none", "iou.dark", "iou.bright"} < found.keys()
    classes = [found[f"iou.{name}"] for name in ("none", "dark", "bright")]
    assert found["iou"] == pytest.approx(sum(classes) / 3)
    assert during.keys() == {"loss", "iou", "accuracy"}


def _as_data(given: Batch) -> DataSplits:
    examples = TensorExamples(given)
    return DataSplits(examples, examples, DataFacts("segmented images"))


def test_the_nearest_baseline_is_the_nearest_mean(learner: SegmentationLearner) -> None:
    given = batch(20)
    learner.setup(_as_data(given))
    assert learner.colours is not None
    for label in range(3):
        inside = given["image"][:, 0][given["mask"] == label]
        assert float(learner.colours[label]) == pytest.approx(float(inside.mean()))
    with torch.no_grad():
        assert learner.evaluate([given], True)["iou.nearest"] == 1


def test_samples_are_images_masks_and_predictions(
    learner: SegmentationLearner,
) -> None:
    with torch.no_grad():
        ((name, picture),) = learner.samples([batch()], 2).items()
    assert name == "epoch-002.png" and isinstance(picture, bytes)
    image = Image.open(io.BytesIO(picture))
    assert image.size == (6 * 42, 3 * 42)


def test_predicted_masks_have_the_size_of_the_image(
    learner: SegmentationLearner, tmp_path: Path
) -> None:
    file = tmp_path / "photo.png"
    Image.fromarray(np.full((11, 23), 90, np.uint8)).save(file)
    predictions = learner.predict([str(file)])
    assert sum(predictions[0]["classes"].values()) == pytest.approx(1)
    (shown,) = with_files(predictions, tmp_path / "out")
    mask = Image.open(shown["mask"])
    assert Path(shown["mask"]) == tmp_path / "out" / "photo.mask.png"
    assert mask.mode == "P" and mask.size == (23, 11)
    assert set(np.unique(np.array(mask))) <= {0, 1, 2}
    assert "mask" not in with_files(predictions, None)[0]


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", [(24, 12), (12, 24), (16, 16)])
def test_masks_are_fitted_back(fit: Fit, size: tuple[int, int], tmp_path: Path) -> None:
    """A mask that is fitted as images are, and back, is where it was."""
    from runtime.data.images import resized

    whole = np.zeros((size[1], size[0]), np.uint8)
    middle = (slice(size[1] // 4, size[1] // 2), slice(size[0] // 4, size[0] // 2))
    whole[middle] = 1
    square = np.array(resized(Image.fromarray(whole), (48, 48), fit, nearest=True))
    back = fit_back(torch.tensor(square), size, fit)
    inside = np.ones_like(whole, bool)
    if fit == "crop":
        short = min(size)
        top, left = (size[1] - short) // 2, (size[0] - short) // 2
        inside[:] = False
        inside[top : top + short, left : left + short] = True
    assert (back.numpy()[inside] == whole[inside]).all()
    assert (back.numpy()[~inside] == 0).all()
