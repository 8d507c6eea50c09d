"""The learned bias of attention within a window of an image."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WindowPositionBias(nn.Module):
    """A learned number for each head and way from one place of a window to another.

    -> float[heads, H * W, H * W]: queries, then keys, both row by row

    Liu et al., "Swin Transformer", 2021; the table is laid out as there: the offset of
    the rows first, each from far behind to far ahead.
    """

    index: Tensor

    def __init__(self, num_heads: int, height: int, width: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        ways = (2 * height - 1) * (2 * width - 1)
        self.weight = nn.Parameter(torch.zeros(ways, num_heads))
        rows = torch.arange(height).repeat_interleave(width)
        columns = torch.arange(width).repeat(height)
        down = rows[:, None] - rows + height - 1
        right = columns[:, None] - columns + width - 1
        index = down * (2 * width - 1) + right
        self.register_buffer("index", index, persistent=False)

    def forward(self) -> Tensor:
        return self.weight[self.index].permute(2, 0, 1)

    def extra_repr(self) -> str:
        return f"{self.num_heads} heads, {len(self.index)} places"
