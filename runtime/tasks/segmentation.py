"""Semantic segmentation: the class of every pixel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.image_data import Fit
from compiler.tasks.kinds.segmentation import Segmentation
from runtime.data.dataset import Batch, DataSplits, Examples
from runtime.data.images import PixelScale
from runtime.tasks.class_factors import factors_of_counts
from runtime.tasks.learner import Learner
from runtime.tasks.user_inputs import (
    image_files,
    image_shape,
    read_as_trained,
    user_image_size,
)

OUTSIDE: Final = -1
"""The class of pixels that do not count."""
_BASELINE_IMAGES: Final = 500
"""Number of training images that the baselines are computed from."""
_SAMPLES: Final = 8


class SegmentationLearner(Learner[Segmentation]):
    """Trains a network to find the class of every pixel."""

    colours: Tensor | None = None
    """Mean values of the pixels of each class [classes, C]; infinite for a class without pixels. Set by `setup`."""
    weights: Tensor | None = None
    """The weight of a pixel of each class [classes], set by `setup`; None: all weigh the same."""
    most_frequent: int = 0
    """The class with the most pixels; set by `setup`."""

    def setup(self, data: DataSplits) -> None:
        """Compute the weights of the classes; for the baselines, the most frequent class and the means of all."""
        count = len(self.metadata["classes"])
        sums, pixels = torch.zeros(()), torch.zeros(count)
        for batch in _some(data.train, _BASELINE_IMAGES):
            mask, values = batch["mask"].flatten(), batch["image"].movedim(1, -1)
            one_hot = F.one_hot(mask.clamp(min=0), count) * (mask >= 0)[:, None]
            sums = sums + one_hot.T.float() @ values.flatten(0, -2)
            pixels += one_hot.sum(0)
        self.most_frequent = int(pixels.argmax())
        self.colours = (sums / pixels[:, None]).nan_to_num(nan=torch.inf)
        self.colours = self.colours.to(self.device)
        if self.task.class_weights:
            names = self.metadata["classes"]
            weights = factors_of_counts(self.task.class_weights, names, pixels.double())
            self.weights = weights.to(self.device)

    def num_items(self, batch: Batch) -> int:
        """The number of pixels that count."""
        return max(1, int((batch["mask"] >= 0).sum()))

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        return self._loss(self.logits(batch["image"]), batch["mask"], self.weights)

    def _loss(
        self, logits: Tensor, mask: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        return F.cross_entropy(
            logits, mask, weights, reduction="sum", ignore_index=OUTSIDE
        )

    def logits(self, image: Tensor) -> Tensor:
        """The logits of the classes [B, classes, H, W] of images [B, C, H, W]."""
        return self.output("", "logits", image=image)

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The mean cross-entropy of a pixel, the mean IoU, and the fraction of pixels whose class is right.

        The final evaluation adds the IoU of each class, and the mean IoU of two baselines: `majority`, the most
        frequent class for all pixels, and `nearest`, the class whose mean value is nearest to the pixel's.
        """
        classes = self.metadata["classes"]
        names = (
            ["", "majority", "nearest"] if final and self.colours is not None else [""]
        )
        shape = (len(classes), len(classes))
        confusions = {name: torch.zeros(shape, dtype=torch.int64) for name in names}
        total, count = 0.0, 0
        for batch in batches:
            image, mask = batch["image"], batch["mask"]
            logits = self.logits(image).float()
            total += float(self._loss(logits, mask))
            count += self.num_items(batch)
            for name, confusion in confusions.items():
                found = logits.argmax(1) if not name else self._baseline(name, image)
                confusion += confusion_matrix(mask, found, len(classes)).cpu()
        confusion = confusions[""]
        ious = intersection_over_union(confusion)
        metrics = {"loss": total / max(count, 1), "iou": mean_iou(confusion)}
        metrics["accuracy"] = float(confusion.trace() / confusion.sum().clamp(min=1))
        if final:
            named = zip(classes, ious.tolist(), strict=True)
            metrics |= {f"iou.{name}": value for name, value in named if value == value}
        for name in names[1:]:
            metrics[f"iou.{name}"] = mean_iou(confusions[name])
        return metrics

    def _baseline(self, name: str, image: Tensor) -> Tensor:
        """The classes int[B, H, W] that a baseline finds in images [B, C, H, W]."""
        assert self.colours is not None
        values = image.movedim(1, -1)
        if name == "majority":
            return torch.full(
                values.shape[:-1], self.most_frequent, device=image.device
            )
        return (
            torch.cdist(values.flatten(1, 2), self.colours)
            .argmin(-1)
            .view(values.shape[:-1])
        )

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """A row of held-out images, below it their true masks, and below these the predicted ones."""
        from runtime.plots.image_grid import grid_png
        from runtime.plots.masks import coloured

        batch = next(iter(batches))
        image, mask = batch["image"][:_SAMPLES], batch["mask"][:_SAMPLES].cpu()
        found = self.logits(image).argmax(1).cpu()
        count = len(self.metadata["classes"])
        scale = PixelScale.from_metadata(self.metadata)
        shown = scale.undone(image.cpu())[:, :3]
        shown = shown if shown.shape[1] == 3 else shown[:, :1].expand(-1, 3, -1, -1)
        rows = [shown, coloured(mask, count), coloured(found, count)]
        return {f"epoch-{epoch:03}.png": grid_png(torch.cat(rows), len(image))}

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """The fraction of each class in image files, or in those of folders, and a mask of the image's size as PNG.

        Raises:
            RequestError, DataError: if a file does not exist or is not an image.
        """
        return [self._predict(file) for file in image_files(inputs)]

    def _predict(self, file: str) -> dict[str, Any]:
        from runtime.plots.masks import mask_png

        shape = image_shape(self.instances[""], self.task)
        image = read_as_trained(file, shape, self.task, self.metadata)
        found = self.logits(image.to(self.device)).argmax(1)[0].cpu()
        classes = self.metadata["classes"]
        fractions = found.flatten().bincount(minlength=len(classes)) / found.numel()
        named = zip(classes, fractions.tolist(), strict=True)
        fit: Fit = getattr(self.task.data, "fit", "stretch")
        whole = fit_back(found, user_image_size(file), fit)
        return {
            "input": file,
            "classes": {name: value for name, value in named if value},
            "mask": mask_png(whole, len(classes)),
        }


def _some(examples: Examples, most: int) -> Iterator[Batch]:
    """Batches of at most `most` examples, evenly chosen."""
    step = -(-len(examples) // most)
    indices = iter(range(0, len(examples), step))
    while chunk := list(islice(indices, 100)):
        yield examples.__getitems__(chunk)


def fit_back(mask: Tensor, size: tuple[int, int], fit: Fit) -> Tensor:
    """The mask of an image from that of its square: int[H, W]; what was cropped away is class 0.

    Args:
        mask: the mask of the square int[S, S].
        size: width and height of the image.
        fit: how the image became a square.
    """
    (width, height), side = size, len(mask)
    if fit == "pad":
        inner = [max(1, round(side * length / max(size))) for length in (height, width)]
        top, left = ((side - length) // 2 for length in inner)
        mask = mask[top : top + inner[0], left : left + inner[1]]
    if fit != "crop":
        return _resize_mask(mask, height, width)
    short = min(size)
    whole = mask.new_zeros(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    whole[top : top + short, left : left + short] = _resize_mask(mask, short, short)
    return whole


def _resize_mask(mask: Tensor, height: int, width: int) -> Tensor:
    resized = F.interpolate(mask[None, None].float(), (height, width), mode="nearest")
    return resized[0, 0].long()


def confusion_matrix(truth: Tensor, found: Tensor, classes: int) -> Tensor:
    """The number of pixels of each true class that each class was found for, int[classes, classes]."""
    counted = truth >= 0
    cells = truth[counted] * classes + found[counted]
    return cells.bincount(minlength=classes**2).view(classes, classes)


def intersection_over_union(confusion: Tensor) -> Tensor:
    """The IoU of each class [classes]; NaN for one that is neither there nor found (Everingham et al., 2010)."""
    both = confusion.diagonal().double()
    return both / (confusion.sum(0) + confusion.sum(1) - both)


def mean_iou(confusion: Tensor) -> float:
    """The mean IoU of the classes that are there or found."""
    return float(intersection_over_union(confusion).nanmean())
