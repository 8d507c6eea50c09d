"""Deformable convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DeformConv2d(nn.Conv2d):
    """2D convolution that reads at its kernel's positions plus offsets, between pixels by bilinear interpolation.

    input: float[N, in_channels, H, W], offset: float[N, 2 * G * kh * kw, H', W'],
    mask: float[N, G * kh * kw, H', W'] -> float[N, out_channels, H', W']

    Each of G groups of input channels has its offsets, y before x for each position of
    the kernel; the mask multiplies what is read. As torchvision.ops.DeformConv2d. Dai
    et al., "Deformable Convolutional Networks", 2017; with a mask, Zhu et al.,
    "Deformable ConvNets v2", 2019.
    """

    def forward(  # type: ignore[override]
        self, input: Tensor, offset: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        offset = offset.to(torch.promote_types(offset.dtype, torch.float32))
        shifts = torch.unflatten(offset, 1, (-1, *self.kernel_size, 2))
        down, right = shifts.unbind(4)  # [N, G, kh, kw, H', W']
        y = down + self._reads(0, offset)[:, None, :, None]
        x = right + self._reads(1, offset)[:, None]
        images = torch.unflatten(input, 1, (down.shape[1], -1))
        samples = _bilinear_samples(images, y.flatten(2), x.flatten(2))
        if mask is not None:
            weights = torch.unflatten(mask, 1, (down.shape[1], -1))
            samples = samples * weights.flatten(2).unsqueeze(2)
        kernel = self.weight.flatten(2).unsqueeze(3)
        columns = torch.unflatten(samples.flatten(1, 2), 2, (kernel.shape[2], -1))
        output = F.conv2d(columns, kernel, self.bias, groups=self.groups)
        return torch.unflatten(output.squeeze(2), 2, offset.shape[2:])

    def _reads(self, axis: int, offset: Tensor) -> Tensor:
        """What each row or column of the kernel reads without offsets: int[kh, H'] or int[kw, W']."""
        taps = torch.arange(self.kernel_size[axis], device=offset.device)
        steps = torch.arange(offset.shape[2 + axis], device=offset.device)
        first = taps * self.dilation[axis] - int(self.padding[axis])
        return first[:, None] + steps * self.stride[axis]


def _bilinear_samples(images: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Images at places between their pixels, with zeros around.

    images: float[N, G, C, H, W], y, x: float[N, G, P] -> float[N, G, C, P]
    """
    height, width = images.shape[3:]
    pixels = images.flatten(3)
    samples = images.new_zeros(())
    for row, row_weight in _zero_neighbours(y, height):
        for column, column_weight in _zero_neighbours(x, width):
            index = (row * width + column).unsqueeze(2)
            read = pixels.gather(3, index.expand(-1, -1, images.shape[2], -1))
            samples = samples + read * (row_weight * column_weight).unsqueeze(2)
    return samples.type_as(images)


def _zero_neighbours(place: Tensor, size: int) -> list[tuple[Tensor, Tensor]]:
    """The pixels before and after a place, each with its weight: 0 for those beyond an edge."""
    low = place.detach().floor()
    share = place - low
    return [
        (at.long().clamp(0, size - 1), weight * ((at >= 0) & (at < size)))
        for at, weight in ((low, 1 - share), (low + 1, share))
    ]
