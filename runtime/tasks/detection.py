"""Object detection without anchors: boxes on a grid of cells (FCOS; Tian et al., 2019)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.data.box_folder import BoxFit
from compiler.tasks.kinds.detection import Detection
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.data.fit_boxes import boxes_in_image
from runtime.data.images import PixelScale
from runtime.tasks.average_precision import (
    THRESHOLDS,
    Detections,
    average_precision,
)
from runtime.tasks.box_overlap import area, cell_centers, giou, iou, suppress
from runtime.tasks.learner import Learner
from runtime.tasks.user_inputs import (
    image_files,
    image_shape,
    read_as_trained,
    user_image_size,
)

_REACH: Final = 1.5
"""The cells that learn an object are within so many cells of its middle."""
_OVERLAP: Final = 0.6
"""Of two boxes of a class with a higher IoU, one is left out."""
_LEAST: Final = 0.05
"""Boxes with a lower score are left out."""
_SHOWN: Final = 0.3
"""Boxes with a lower score are not drawn, nor predicted."""
_CANDIDATES: Final = 400
"""Boxes of an image before overlapping ones are left out, by score."""
_MOST: Final = 100
"""Boxes of an image, by score, as in COCO."""
_BASELINE_IMAGES: Final = 500
"""Number of training images that the baseline knows."""
_BASELINE_SIDE: Final = 16
"""Height and width to which the baseline shrinks images."""
_SAMPLES: Final = 8


class Cells(NamedTuple):
    """What a network says of images, cell by cell.

    Attributes:
        logits: [B, cells, classes].
        boxes: [B, cells, 4], in pixels.
        centers: the middles of the cells [cells, 2], x and y.
        cell: width and height of a cell [2].
    """

    logits: Tensor
    boxes: Tensor
    centers: Tensor
    cell: Tensor


class Nearest(NamedTuple):
    """What the baseline knows: training images, shrunk, and their boxes."""

    pixels: Tensor
    boxes: Tensor


class DetectionLearner(Learner[Detection]):
    """Trains a network to find the boxes and classes of objects."""

    nearest: Nearest | None = None
    """For the baseline; set by `setup`."""

    def setup(self, data: DataSplits) -> None:
        """Keep some training images and their boxes, for the baseline."""
        step = -(-len(data.train) // _BASELINE_IMAGES)
        rows = list(range(0, len(data.train), step))
        batch = data.train.__getitems__(rows)
        self.nearest = Nearest(_shrunk(batch["image"]), batch["boxes"])

    def num_items(self, batch: Batch) -> int:
        """The number of objects."""
        return max(1, int((batch["boxes"][..., 4] >= 0).sum()))

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        scores, boxes = self._losses(self.cells(batch["image"]), batch["boxes"])
        return scores + self.task.box_weight * boxes

    def cells(self, image: Tensor) -> Cells:
        """What the network says of images [B, C, H, W]."""
        outputs = self.call("", image=image)
        logits, raw = (
            outputs[bound(outputs, role, self.task.ports)].float()
            for role in ("logits", "boxes")
        )
        rows, columns = logits.shape[2:]
        height, width = image.shape[2:]
        centers, cell = cell_centers(rows, columns, (height, width), logits)
        distances = F.softplus(raw.flatten(2).movedim(1, -1)) * cell.repeat(2)
        low, high = centers - distances[..., :2], centers + distances[..., 2:]
        boxes = torch.cat([low, high], -1)
        return Cells(logits.flatten(2).movedim(1, -1), boxes, centers, cell)

    def _losses(self, found: Cells, truth: Tensor) -> tuple[Tensor, Tensor]:
        """The sums of the losses of scores and of boxes."""
        owner = owners(truth, found.centers, found.cell)
        image, cell = torch.where(owner >= 0)
        wanted = truth[image, owner[image, cell]]
        boxes = found.boxes[image, cell]
        quality = torch.zeros_like(found.logits)
        overlap = iou(boxes, wanted[:, :4]).detach()
        quality[image, cell, wanted[:, 4].long()] = overlap
        error = (quality - found.logits.sigmoid()).square()
        entropy = F.binary_cross_entropy_with_logits(
            found.logits, quality, reduction="none"
        )
        return (error * entropy).sum(), (1 - giou(boxes, wanted[:, :4])).sum()

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The loss of an object, and the mean average precision, over all IoUs and at 0.5.

        The final evaluation adds the average precision of each class, and that of a baseline, `nearest`: the boxes of
        the training image whose pixels are nearest.
        """
        classes = self.metadata["classes"]
        found, truth, nearest = [], [], []
        total, count = 0.0, 0
        for batch in batches:
            cells = self.cells(batch["image"])
            scores, boxes = self._losses(cells, batch["boxes"])
            total += float(scores + self.task.box_weight * boxes)
            count += self.num_items(batch)
            found += [_on_cpu(one) for one in detections(cells, batch["image"])]
            truth += [_on_cpu(_objects(one)) for one in batch["boxes"]]
            if final and self.nearest is not None:
                nearest += [_on_cpu(one) for one in self._baseline(batch["image"])]
        precision = average_precision(found, truth, len(classes))
        metrics = {"loss": total / max(count, 1), **_means(precision)}
        if final:
            named = zip(classes, precision.mean(1).tolist(), strict=True)
            metrics |= {f"map.{name}": value for name, value in named if value == value}
        if nearest:
            theirs = _means(average_precision(nearest, truth, len(classes)))
            metrics |= {f"{name}.nearest": value for name, value in theirs.items()}
        return metrics

    def _baseline(self, image: Tensor) -> list[Detections]:
        assert self.nearest is not None
        pixels = self.nearest.pixels.to(image.device)
        which = torch.cdist(_shrunk(image), pixels).argmin(1).cpu()
        return [_objects(self.nearest.boxes[one]) for one in which]

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """A row of held-out images with their true boxes, and below it one with those found."""
        from runtime.plots.draw_boxes import boxes_png

        batch = next(iter(batches))
        image = batch["image"][:_SAMPLES]
        scale = PixelScale.from_metadata(self.metadata)
        found = [_on_cpu(_clear(one)) for one in detections(self.cells(image), image)]
        truth = [_on_cpu(_objects(one)) for one in batch["boxes"][:_SAMPLES]]
        shown = [*scale.undone(image.cpu())] * 2
        classes = self.metadata["classes"]
        drawn = [*truth, *found]
        boxes, labels = [one.boxes for one in drawn], [one.labels for one in drawn]
        png = boxes_png(shown, boxes, labels, classes, columns=len(image))
        return {f"epoch-{epoch:03}.png": png}

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """The objects in image files, or in those of folders: class, score, and box in pixels of the file; a picture.

        Raises:
            RequestError, DataError: if a file does not exist or is not an image.
        """
        return [self._predict(file) for file in image_files(inputs)]

    def _predict(self, file: str) -> dict[str, Any]:
        from runtime.plots.draw_boxes import boxes_png

        shape = image_shape(self.instances[""], self.task)
        image = read_as_trained(file, shape, self.task, self.metadata)
        (found,) = detections(self.cells(image.to(self.device)), image)
        found = _on_cpu(_clear(found))
        classes = self.metadata["classes"]
        shown = PixelScale.from_metadata(self.metadata).undone(image)
        square = (image.shape[3], image.shape[2])
        fit: BoxFit = getattr(self.task.data, "fit", "stretch")
        png = boxes_png([shown[0]], [found.boxes], [found.labels], classes, columns=1)
        boxes = boxes_in_image(found.boxes, square, user_image_size(file), fit)
        objects = zip(
            found.labels.tolist(), found.scores.tolist(), boxes.tolist(), strict=True
        )
        return {
            "input": file,
            "objects": [
                {
                    "class": classes[label],
                    "score": round(score, 4),
                    "box": [round(side, 1) for side in box],
                }
                for label, score, box in objects
            ],
            "boxes": png,
        }


def owners(truth: Tensor, centers: Tensor, cell: Tensor) -> Tensor:
    """The object that each cell learns, int[B, cells]; -1: none.

    A cell learns the smallest object whose box its middle is in, and whose middle is within 1.5 cells of its own; and
    the cell that the middle of an object is in learns it in any case.

    Args:
        truth: boxes and classes [B, objects, 5]; class -1: none.
        centers: the middles of the cells [cells, 2].
        cell: width and height of a cell [2].
    """
    boxes = truth[:, None, :, :4]
    middle = (boxes[..., :2] + boxes[..., 2:]) / 2
    points = centers[:, None]
    inside = ((points >= boxes[..., :2]) & (points < boxes[..., 2:])).all(-1)
    apart = (points - middle).abs() / cell
    learns = (inside & (apart < _REACH).all(-1)) | (apart <= 0.5).all(-1)
    learns &= truth[:, None, :, 4] >= 0
    sizes = torch.where(learns, area(boxes), torch.inf)
    if not sizes.shape[-1]:
        return sizes.new_full(sizes.shape[:2], -1, dtype=torch.int64)
    smallest, which = sizes.min(-1)
    return torch.where(smallest < torch.inf, which, -1)


def detections(found: Cells, image: Tensor) -> list[Detections]:
    """The objects found in each image [B, C, H, W], the highest score first."""
    return [
        _detected(logits.sigmoid(), boxes, image.shape[2:])
        for logits, boxes in zip(found.logits, found.boxes, strict=True)
    ]


def _detected(scores: Tensor, boxes: Tensor, size: Sequence[int]) -> Detections:
    cell, label = torch.where(scores > _LEAST)
    kept = scores[cell, label]
    best = kept.argsort(descending=True, stable=True)[:_CANDIDATES]
    cell, label, kept = cell[best], label[best], kept[best]
    high = torch.tensor([size[1], size[0]] * 2, device=boxes.device)
    inside = boxes[cell].clamp(min=0).minimum(high)
    rows = suppress(inside, kept, label, _OVERLAP)[:_MOST]
    return Detections(inside[rows], label[rows], kept[rows])


def _clear(found: Detections) -> Detections:
    """Those with a score that is high enough to be shown."""
    rows = found.scores >= _SHOWN
    return Detections(found.boxes[rows], found.labels[rows], found.scores[rows])


def _objects(truth: Tensor) -> Detections:
    """What is there, of boxes and classes [objects, 5]."""
    there = truth[truth[:, 4] >= 0]
    return Detections(there[:, :4], there[:, 4].long(), torch.ones(len(there)))


def _on_cpu(found: Detections) -> Detections:
    return Detections(found.boxes.cpu(), found.labels.cpu(), found.scores.cpu())


def _means(precision: Tensor) -> dict[str, float]:
    """The mean of the classes that are there: over all IoUs, and at the first, 0.5; 0 if there is nothing."""
    assert THRESHOLDS[0] == 0.5
    values = {"map": precision.nanmean(), "map_50": precision[:, 0].nanmean()}
    return {name: float(value.nan_to_num()) for name, value in values.items()}


def _shrunk(image: Tensor) -> Tensor:
    """Images [B, C, H, W] as points [B, D]."""
    side = (_BASELINE_SIDE, _BASELINE_SIDE)
    return F.adaptive_avg_pool2d(image.float(), side).flatten(1)
