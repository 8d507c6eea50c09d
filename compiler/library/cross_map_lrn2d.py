"""nn.CrossMapLRN2d for torch.compile(fullgraph=True) and torch.export."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CrossMapLRN2d(nn.CrossMapLRN2d):
    """Local response normalisation across channels, as nn.CrossMapLRN2d.

    input: float[N, C, H, W] -> float[N, C, H, W]

    torch writes into buffers channel by channel, which torch.compile does not support,
    and torch.export only for one fixed size; for those, this one uses cumulative sums.
    """

    def __init__(
        self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1
    ) -> None:
        if size < 2:
            raise ValueError("size must be at least 2: torch has no gradient for 1")
        super().__init__(size, alpha, beta, k)

    def forward(self, input: Tensor) -> Tensor:
        if not torch.compiler.is_compiling():
            normalised: Tensor = super().forward(input)
            return normalised
        reach = int((self.size - 1) / 2 + 1)
        channel = torch.arange(input.shape[1], device=input.device)
        sums = F.pad(input.square().cumsum(1), (0, 0, 0, 0, 1, 0))
        last = sums[:, (channel + reach).clamp(max=input.shape[1])]
        # in torch's implementation, the first channel stays in every window
        first = sums[:, (channel - reach).clamp(min=0) + 1] - sums[:, 1:2]
        scale = self.k + self.alpha / self.size * (last - first)
        return input * scale.pow(-self.beta)
