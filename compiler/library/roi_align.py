"""Regions of images, pooled from bilinear samples."""

from __future__ import annotations

import torch
from torch import Tensor


def roi_align(
    input: Tensor,
    boxes: Tensor,
    output_size: int | tuple[int, int],
    sampling_ratio: int,
    spatial_scale: float = 1.0,
    aligned: bool = False,
) -> Tensor:
    """Divide each box into bins; a bin is the mean of sampling_ratio ** 2 bilinear samples.

    input: float[N, C, H, W], boxes: float[K, 5] -> float[K, C, *output_size]

    A box is the index of its image, then x1, y1, x2, y2; times spatial_scale, these are
    pixels of the input. With `aligned`, pixel centres are at half-integers. As
    torchvision.ops.roi_align, without a gradient for the boxes; an index out of range
    is clamped. He et al., "Mask R-CNN", 2017.
    """
    height, width = (output_size,) * 2 if isinstance(output_size, int) else output_size
    boxes = boxes.detach().to(torch.promote_types(boxes.dtype, torch.float32))
    image = boxes[:, 0].long().clamp(0, input.shape[0] - 1)[:, None, None]
    x1, y1, x2, y2 = (boxes[:, 1:] * spatial_scale - 0.5 * aligned).unbind(1)
    rows = _sample_places(y1, y2, height, sampling_ratio, aligned)
    columns = _sample_places(x1, x2, width, sampling_ratio, aligned)
    samples = input.new_zeros(())
    for y, row_weight in _edge_neighbours(rows, input.shape[2]):
        for x, column_weight in _edge_neighbours(columns, input.shape[3]):
            weight = row_weight[:, :, None, None] * column_weight[:, None, :, None]
            samples = samples + input[image, :, y[:, :, None], x[:, None]] * weight
    rows_apart = torch.unflatten(samples, 1, (height, -1))
    bins = torch.unflatten(rows_apart, 3, (width, -1)).mean((2, 4))
    return bins.permute(0, 3, 1, 2).type_as(input)


def _sample_places(
    start: Tensor, end: Tensor, bins: int, ratio: int, aligned: bool
) -> Tensor:
    """Where samples are taken along one axis: float[K], float[K] -> float[K, bins * ratio]."""
    length = end - start if aligned else (end - start).clamp(min=1.0)
    size = (length / bins)[:, None, None]
    bin = torch.arange(bins, device=start.device)[:, None]
    sample = torch.arange(ratio, device=start.device, dtype=start.dtype) + 0.5
    # in torchvision's order, for rounding decides whether a sample at an edge counts
    return (start[:, None, None] + bin * size + sample * size / ratio).flatten(1)


def _edge_neighbours(place: Tensor, size: int) -> list[tuple[Tensor, Tensor]]:
    """The pixels before and after a place, each with its weight: 0 where the place is over 1 beyond an edge."""
    inside = (place >= -1) & (place <= size)
    place = place.clamp(0, size - 1)
    low = place.long().clamp(0, size - 1)  # NaN, too, becomes an index
    share = place - low
    high = (low + 1).clamp(max=size - 1)
    return [(low, (1 - share) * inside), (high, share * inside)]
