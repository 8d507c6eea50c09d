"""Boxes as tensors [..., 4]: left, top, right and bottom in pixels, the last two exclusive."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

_EPSILON: Final = 1e-9


def area(boxes: Tensor) -> Tensor:
    """The areas [...] of boxes [..., 4]; 0 for one that is turned inside out."""
    sides = (boxes[..., 2:] - boxes[..., :2]).clamp(min=0)
    return sides[..., 0] * sides[..., 1]


def iou(one: Tensor, other: Tensor) -> Tensor:
    """The intersection over union [...] of boxes [..., 4] with boxes [..., 4]; their shapes broadcast."""
    shared = _intersection(one, other)
    return shared / (area(one) + area(other) - shared).clamp(min=_EPSILON)


def pairwise_iou(one: Tensor, other: Tensor) -> Tensor:
    """The intersection over union [N, M] of each of the boxes [N, 4] with each of [M, 4]."""
    return iou(one[:, None], other)


def giou(one: Tensor, other: Tensor) -> Tensor:
    """The generalized intersection over union [...], from -1 to 1 (Rezatofighi et al., 2019)."""
    shared = _intersection(one, other)
    union = (area(one) + area(other) - shared).clamp(min=_EPSILON)
    low = torch.minimum(one[..., :2], other[..., :2])
    high = torch.maximum(one[..., 2:], other[..., 2:])
    hull = area(torch.cat([low, high], -1)).clamp(min=_EPSILON)
    return shared / union - (hull - union) / hull


def _intersection(one: Tensor, other: Tensor) -> Tensor:
    low = torch.maximum(one[..., :2], other[..., :2])
    high = torch.minimum(one[..., 2:], other[..., 2:])
    return area(torch.cat([low, high], -1))


def suppress(boxes: Tensor, scores: Tensor, labels: Tensor, most: float) -> Tensor:
    """Greedy non-maximum suppression: the indices of the boxes that stay, the highest score first.

    Args:
        boxes: [N, 4].
        scores: [N].
        labels: int[N]; boxes of two classes never exclude each other.
        most: of two boxes of a class whose IoU is above this, the one with the higher score stays.
    """
    order = scores.argsort(descending=True, stable=True)
    excludes = pairwise_iou(boxes[order], boxes[order]) > most
    excludes &= labels[order][:, None] == labels[order]
    gone = torch.zeros(len(order), dtype=torch.bool, device=boxes.device)
    for row in range(len(order)):
        if not gone[row]:
            gone[row + 1 :] |= excludes[row, row + 1 :]
    return order[~gone]


def cell_centers(
    rows: int, columns: int, size: tuple[int, int], like: Tensor
) -> tuple[Tensor, Tensor]:
    """The middles [rows * columns, 2] of the cells of a grid over an image, x and y, and the size [2] of a cell.

    Args:
        rows, columns: number of cells.
        size: height and width of the image.
        like: a tensor of the same device.
    """
    cell = torch.tensor([size[1] / columns, size[0] / rows], device=like.device)
    ys, xs = torch.meshgrid(
        torch.arange(rows, device=like.device),
        torch.arange(columns, device=like.device),
        indexing="ij",
    )
    return (torch.stack([xs.flatten(), ys.flatten()], 1) + 0.5) * cell, cell
