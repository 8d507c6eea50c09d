"""nn.GRU for torch.compile(fullgraph=True) and torch.export."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from compiler.library.recurrent import Recurrent


class StackedGRU(Recurrent):
    """Gated recurrent unit, as nn.GRU with batch_first.

    input: float[B, T, D], hx: the initial hidden state, zeros by default
    -> output: float[B, T, directions * H], hidden: float[num_layers * directions, B, H]

    H is hidden_size. B is optional; without it, states are float[num_layers *
    directions, H].
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(
            nn.GRU,
            widths=(hidden_size,),
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bias=bias,
            dropout=dropout,
            bidirectional=bidirectional,
        )

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        output, hidden = self.run(input, None if hx is None else (hx,))
        return output, hidden

    def fused(
        self, input: Tensor, states: tuple[Tensor, ...], *settings: Any
    ) -> tuple[Tensor, ...]:
        return torch.gru(input, states[0], *settings)

    def cell(self, x: Tensor, y: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        (r, z, n), (r_y, z_y, n_y) = x.chunk(3, dim=-1), y.chunk(3, dim=-1)
        n = torch.tanh(n + (r + r_y).sigmoid() * n_y)
        return (n + (z + z_y).sigmoid() * (states[0] - n),)
