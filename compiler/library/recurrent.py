"""The base class of StackedLSTM, StackedGRU and StackedRNN."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from compiler.library.scan import scan


class Recurrent(nn.Module):
    """Base class of LSTM, GRU and RNN, with torch's weights, kernels and results.

    nn.LSTM, nn.GRU and nn.RNN do not support torch.compile(fullgraph=True), and under
    torch.export their number of steps is static; these classes have neither limit.
    """

    def __init__(
        self, kind: type[nn.RNNBase], widths: tuple[int, ...], **options: Any
    ) -> None:
        super().__init__()
        self.make = partial(kind, batch_first=True, **options)
        made = self.make()
        self.input_size = made.input_size
        self.widths = widths  # the widths of the states
        self.num_layers = made.num_layers
        self.directions = 2 if made.bidirectional else 1
        self.bias = made.bias
        self.dropout = made.dropout
        self.names = [name for name, _ in made.named_parameters()]
        for name, weight in made.named_parameters():
            self.register_parameter(name, weight)

    def run(
        self, input: Tensor, states: tuple[Tensor, ...] | None
    ) -> tuple[Tensor, ...]:
        """Return the output and final states, [num_layers * directions, B, width]."""
        if input.dim() == 2:
            batched = states and tuple(state.unsqueeze(1) for state in states)
            output, *last = self.run(input.unsqueeze(0), batched)
            return output.squeeze(0), *(state.squeeze(1) for state in last)
        count, batch = self.num_layers * self.directions, input.shape[0]
        if states is None:
            states = tuple(
                input.new_zeros(count, batch, width) for width in self.widths
            )
        self.check(input, states, [(count, batch, width) for width in self.widths])
        if torch.compiler.is_exporting():
            return self.scanned(input, states)
        weights = [getattr(self, name) for name in self.names]
        options = (self.num_layers, self.dropout, self.training, self.directions == 2)
        return self.fused(input, states, weights, self.bias, *options, True)

    def check(
        self, input: Tensor, states: tuple[Tensor, ...], shapes: list[tuple[int, ...]]
    ) -> None:
        # torch's kernels do not check sizes, and read out of bounds if one is wrong
        if input.dim() != 3 or input.shape[2] != self.input_size:
            found = list(input.shape)
            raise ValueError(f"input should be [B, T, {self.input_size}], not {found}")
        given = [tuple(state.shape) for state in states]
        if given != shapes:
            raise ValueError(f"the states should have shapes {shapes}, not {given}")

    def fused(
        self, input: Tensor, states: tuple[Tensor, ...], *settings: Any
    ) -> tuple[Tensor, ...]:
        raise AssertionError("the subclass calls torch's kernel")

    def cell(self, x: Tensor, y: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        raise AssertionError("the subclass has the equations")

    def scanned(self, input: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Compute the same as `fused`, step by step."""
        last: list[list[Tensor]] = []
        for layer in range(self.num_layers):
            if layer:
                input = F.dropout(input, self.dropout, self.training)
            outputs = []
            for suffix in ("", "_reverse")[: self.directions]:
                carry = tuple(state[len(last)] for state in states)
                *end, output = self.direction(input, carry, f"_l{layer}{suffix}")
                last.append(end)
                outputs.append(output)
            input = torch.cat(outputs, dim=-1)
        return input, *(torch.stack(state) for state in zip(*last, strict=True))

    def direction(
        self, input: Tensor, carry: tuple[Tensor, ...], suffix: str
    ) -> tuple[Tensor, ...]:
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        weights: list[Any] = [getattr(self, kind + suffix, None) for kind in kinds]
        w_ih, w_hh, b_ih, b_hh, w_hr = weights

        def step(x: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
            h, *rest = self.cell(x, F.linear(states[0], w_hh, b_hh), *states)
            if w_hr is not None:
                h = F.linear(h, w_hr)
            return h, *rest, h

        xs = (F.linear(input, w_ih, b_ih),)
        return scan(step, xs, carry, reverse=suffix.endswith("_reverse"))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        made = self.make(device="meta")
        for name, weight in self.named_parameters():
            setattr(made, name, weight)
        made.flatten_parameters()  # cuDNN needs all weights in one block of memory
        return self

    def extra_repr(self) -> str:
        return self.make(device="meta").extra_repr()
