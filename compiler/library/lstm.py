"""nn.LSTM for torch.compile(fullgraph=True) and torch.export."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from compiler.library.recurrent import Recurrent


class StackedLSTM(Recurrent):
    """Long short-term memory, as nn.LSTM with batch_first.

    input: float[B, T, D], hx: the initial hidden and cell states, zeros by default
    -> output: float[B, T, directions * H],
    (hidden: float[N, B, H], cell: float[N, B, C])

    N is num_layers * directions, C is hidden_size, and H is proj_size or hidden_size. B
    is optional; without it, states are float[N, H] and float[N, C].

    torch 2.13 cannot differentiate torch.lstm compiled for the CPU if its input does
    not require a gradient: call `input.requires_grad_()` in that case.
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
        proj_size: int = 0,
    ) -> None:
        super().__init__(
            nn.LSTM,
            widths=(proj_size or hidden_size, hidden_size),
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bias=bias,
            dropout=dropout,
            bidirectional=bidirectional,
            proj_size=proj_size,
        )

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        output, hidden, cell = self.run(input, hx)
        return output, (hidden, cell)

    def fused(
        self, input: Tensor, states: tuple[Tensor, ...], *settings: Any
    ) -> tuple[Tensor, ...]:
        return torch.lstm(input, states, *settings)

    def cell(self, x: Tensor, y: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        i, f, g, o = (x + y).chunk(4, dim=-1)
        c = f.sigmoid() * states[1] + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c
