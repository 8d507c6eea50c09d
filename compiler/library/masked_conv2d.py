"""Convolution over the preceding pixels in row-major order."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class MaskedConv2d(nn.Conv2d):
    """2D convolution whose kernel is zero below its centre row and right of its centre.

    float[N, in_channels, H, W] -> float[N, out_channels, H', W']

    With `mask_type` "A" the centre is zero too, as in a first layer, which must not see
    the pixel it predicts; with "B" it is not. van den Oord et al., "Pixel Recurrent
    Neural Networks", 2016, section 3.4.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, mask_type: str, **options: Any
    ) -> None:
        super().__init__(in_channels, out_channels, **options)
        height, width = self.kernel_size
        mask = torch.ones(height, width)
        mask[height // 2, width // 2 + (mask_type == "B") :] = 0
        mask[height // 2 + 1 :] = 0
        self.mask = nn.Buffer(mask, persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        weight = self.weight * self.mask
        output: Tensor = self._conv_forward(input, weight, self.bias)
        return output
