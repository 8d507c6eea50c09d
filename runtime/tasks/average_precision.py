"""The average precision of detections, as COCO computes it (Lin et al., 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from runtime.tasks.box_overlap import pairwise_iou

THRESHOLDS: Final = tuple(0.5 + 0.05 * i for i in range(10))
"""The IoUs from which on a box counts as found."""
_RECALLS: Final = 101
"""Number of recalls, from 0 to 1, over which precision is averaged."""


@dataclass(frozen=True)
class Detections:
    """The objects found in an image, or those that are there.

    Attributes:
        boxes: [N, 4], in pixels.
        labels: int[N].
        scores: [N], from 0 to 1; of what is there, anything.
    """

    boxes: Tensor
    labels: Tensor
    scores: Tensor


def average_precision(
    found: Sequence[Detections], truth: Sequence[Detections], classes: int
) -> Tensor:
    """The average precision [classes, thresholds] at each of `THRESHOLDS`; NaN for a class that is nowhere.

    Args:
        found: what was found in each image.
        truth: what is there, in the same order.
        classes: number of classes.
    """
    rows = []
    for label in range(classes):
        scores, hits, total = [], [], 0
        for one, true in zip(found, truth, strict=True):
            mine, theirs = one.labels == label, true.labels == label
            order = one.scores[mine].argsort(descending=True, stable=True)
            boxes = one.boxes[mine][order]
            scores.append(one.scores[mine][order])
            hits.append(_hits(pairwise_iou(boxes, true.boxes[theirs])))
            total += int(theirs.sum())
        rows.append(_precision(torch.cat(scores), torch.cat(hits, 1), total))
    return torch.stack(rows)


def _hits(ious: Tensor) -> Tensor:
    """Which boxes are found objects, bool[thresholds, N], where each object is found once.

    Args:
        ious: of the boxes, the highest score first, with the objects [N, M].
    """
    least = torch.tensor(THRESHOLDS)
    count, objects = ious.shape
    hits = torch.zeros(len(least), count, dtype=torch.bool)
    if not objects:
        return hits
    free = torch.ones(len(least), objects, dtype=torch.bool)
    for row, overlap in enumerate(ious):
        best, which = torch.where(free, overlap, -1.0).max(1)
        hits[:, row] = best >= least
        free[hits[:, row], which[hits[:, row]]] = False
    return hits


def _precision(scores: Tensor, hits: Tensor, total: int) -> Tensor:
    """The mean precision [thresholds] over 101 recalls, each the best at that recall or a higher one.

    Args:
        scores: of all boxes of a class [N].
        hits: which of them are found objects bool[thresholds, N].
        total: number of objects.
    """
    if not total:
        return torch.full((len(THRESHOLDS),), torch.nan)
    order = scores.argsort(descending=True, stable=True)
    right = hits[:, order].double().cumsum(1)
    recall = right / total
    precision = right / torch.arange(1, len(order) + 1)
    # From the right: the best precision at this recall or a higher one; 0 beyond the last.
    best = torch.cat([precision, precision.new_zeros(len(precision), 1)], 1)
    best = best.flip(1).cummax(1).values.flip(1)
    points = torch.linspace(0, 1, _RECALLS, dtype=torch.float64)
    where = torch.searchsorted(recall, points.expand(len(recall), -1).contiguous())
    return best.gather(1, where).mean(1).float()
