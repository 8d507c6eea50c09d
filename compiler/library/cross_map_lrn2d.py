"""nn.CrossMapLRN2d that can be compiled and exported whole."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CrossMapLRN2d(nn.CrossMapLRN2d):
    """Local response normalisation across channels, as nn.CrossMapLRN2d.

    input: float[N, C, H, W] -> the same

    torch writes into buffers one channel at a time, which torch.compile refuses and
    torch.export fixes to one size; there, this is sums of channels instead.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            normalised: Tensor = super().forward(input)
            return normalised
        reach = int((self.size - 1) / 2 + 1)
        channel = torch.arange(input.shape[1], device=input.device)
        sums = F.pad(input.square().cumsum(1), (0, 0, 0, 0, 1, 0))
        last = sums[:, (channel + reach).clamp(max=input.shape[1])]
        # torch never takes the first channel out of a window again
        first = sums[:, (channel - reach).clamp(min=0) + 1] - sums[:, 1:2]
        scale = self.k + self.alpha / self.size * (last - first)
        return input * scale.pow(-self.beta)
