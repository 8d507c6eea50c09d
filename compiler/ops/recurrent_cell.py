"""Recurrent cells, one step of a recurrent network: [B, D]; B is optional."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from compiler.codegen.python import Expr, call
from compiler.op.arg_types import Size
from compiler.op.context import Context
from compiler.op.flow_rules import along_last
from compiler.op.op import Code, Op, Outputs, Port, Shape
from compiler.op.registry import register
from compiler.ops._recurrent_states import (
    cell_weights,
    require_state,
    require_states,
    state_argument,
)
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


class Cell(Op):
    """Base class of the cells: one step of a single-layer recurrent network."""

    hidden_size: Size
    bias: bool = True

    family: ClassVar[str] = "recurrent"
    gates: ClassVar[int]
    inputs: ClassVar[tuple[Port, ...]] = (Port("input"), Port("hidden", optional=True))
    outputs: ClassVar[tuple[str, ...] | None] = ("hidden",)
    positional = ("hidden_size",)
    chains = False
    flow = along_last

    def infer(
        self, ctx: Context, input: TensorType, hidden: TensorType | None
    ) -> Outputs:
        state = self.state(ctx, input)
        if hidden is not None:
            require_state(ctx, self.name, "hidden", hidden, state)
        return state

    def state(self, ctx: Context, input: TensorType) -> TensorType:
        """The type of the new state: float[B, hidden_size]."""
        ctx.require_rank("input", input, 1, 2)
        return input.with_size(-1, self.hidden_size)

    def inferred(self, input: TensorType, **states: Any) -> dict[str, Dim]:
        return {"input_size": input.shape[-1]}

    def weights(self, input: TensorType, **states: Any) -> dict[str, Shape]:
        hidden = self.hidden_size
        return cell_weights(self.gates, input.shape[-1], hidden, hidden, bias=self.bias)

    def flops(
        self, outputs: tuple[TensorType, ...], input: TensorType, **states: Any
    ) -> Dim:
        width = input.shape[-1] + self.hidden_size
        return outputs[0].numel * width * (2 * self.gates)

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        **states: Any,
    ) -> str:
        return f"{ctx.value(input.shape[-1])} → {ctx.value(self.hidden_size)}"

    def apply(self, code: Code, input: Expr, hidden: Expr | None) -> Expr:
        return call(code.module(), input, *([] if hidden is None else [hidden]))


@register("rnn_cell", torch="torch.nn.RNNCell")
class RNNCell(Cell):
    """One step of rnn: float[B, D], hidden float[B, H] -> hidden float[B, H].

    H is hidden_size; the input `hidden` defaults to zeros.
    """

    nonlinearity: Literal["tanh", "relu"] = "tanh"

    module = "nn.RNNCell"
    gates = 1


@register("gru_cell", torch="torch.nn.GRUCell")
class GRUCell(Cell):
    """One step of gru: float[B, D], hidden float[B, H] -> hidden float[B, H].

    H is hidden_size; the input `hidden` defaults to zeros.
    """

    module = "nn.GRUCell"
    gates = 3


@register("lstm_cell", torch="torch.nn.LSTMCell")
class LSTMCell(Cell):
    """One step of lstm: float[B, D], hidden and cell float[B, H] -> hidden and cell float[B, H].

    H is hidden_size; the inputs `hidden` and `cell` default to zeros, and are given
    both or not at all.
    """

    module = "nn.LSTMCell"
    gates = 4
    inputs = (
        Port("input"),
        Port("hidden", optional=True),
        Port("cell", optional=True),
    )
    outputs = ("hidden", "cell")

    def infer(
        self,
        ctx: Context,
        input: TensorType,
        hidden: TensorType | None,
        cell: TensorType | None = None,
    ) -> Outputs:
        state = self.state(ctx, input)
        require_states(ctx, self.name, (hidden, cell), (state, state))
        return state, state

    def apply(
        self, code: Code, input: Expr, hidden: Expr | None, cell: Expr | None = None
    ) -> Expr:
        return call(code.module(), input, *state_argument(code, hidden, cell))
