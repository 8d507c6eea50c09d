"""nn.RNN for torch.compile(fullgraph=True) and torch.export."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from compiler.library.recurrent import Recurrent


class StackedRNN(Recurrent):
    """Elman RNN, as nn.RNN with batch_first.

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
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(
            nn.RNN,
            widths=(hidden_size,),
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            nonlinearity=nonlinearity,
            bias=bias,
            dropout=dropout,
            bidirectional=bidirectional,
        )
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        output, hidden = self.run(input, None if hx is None else (hx,))
        return output, hidden

    def fused(
        self, input: Tensor, states: tuple[Tensor, ...], *settings: Any
    ) -> tuple[Tensor, ...]:
        kernel = torch.rnn_tanh if self.nonlinearity == "tanh" else torch.rnn_relu
        return kernel(input, states[0], *settings)

    def cell(self, x: Tensor, y: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        return ((x + y).tanh() if self.nonlinearity == "tanh" else (x + y).relu(),)
