"""Recurrent networks over sequences [B, T, D]; B is optional."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import Field

from compiler.codegen.python import Expr, Plain, TupleExpr, call
from compiler.op import errors
from compiler.op.arg_types import Probability, Size
from compiler.op.combine_flows import join, windowed, with_axes, without
from compiler.op.context import Context
from compiler.op.dependence import Along, Dependence
from compiler.op.flow import Flow, FlowCall, Memory, Operand, flow_rule
from compiler.op.op import Code, Colour, Op, Outputs, Port, Shape, product
from compiler.op.registry import register
from compiler.ops._recurrent_states import (
    cell_weights,
    require_state,
    require_states,
    state_argument,
    state_targets,
)
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType

COLOUR: Final[Colour] = "pink"

LayerCount: TypeAlias = Annotated[int, Field(ge=1, le=1000)]
"""A number of stacked layers. It is a constant, as each layer has its own weights."""


class Recurrent(Op):
    """Base class of rnn, lstm and gru; each layer and direction has weights for `gates` gates."""

    hidden_size: Size
    num_layers: LayerCount = 1
    bias: bool = True
    dropout: Probability = 0.0
    bidirectional: bool = False

    gates: ClassVar[int]
    inputs: ClassVar[tuple[Port, ...]] = (Port("input"), Port("hidden", optional=True))
    outputs: ClassVar[tuple[str, ...] | None] = ("output", "hidden")
    positional = ("hidden_size",)
    refused_by_module = ("dropout",)
    own_options: ClassVar[Mapping[str, Plain]] = {"batch_first": True}
    chains = False
    state_library = "step_carry"
    causal_hint = (
        "without `bidirectional`, a position depends on itself and earlier ones"
    )

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def width(self) -> Dim:
        """The output width of each direction."""
        return self.hidden_size

    def infer(
        self, ctx: Context, input: TensorType, hidden: TensorType | None
    ) -> Outputs:
        state = self.state(ctx, input, self.width)
        if hidden is not None:
            require_state(ctx, self.name, "hidden", hidden, state)
        return self.sequence(input), state

    @flow_rule("recurrent")
    def flow(self, call: FlowCall) -> Flow:
        """A step reads those before it; in two directions, those after it too. The last states depend on all of T."""
        flow, kind = call.operand("input")
        rank, reason = kind.rank, f"{self.name} is read after the last step"
        mixed = without(flow, {rank - 1}, f"{self.name} has T as its features")
        hi = math.inf if self.bidirectional else 0
        carries = isinstance(flow.axes[-2], Along)
        steps = windowed(mixed, rank - 2, -math.inf, hi)
        last = without(mixed, {rank - 2}, reason)
        start, final = self._states(call, steps, last)
        order: list[int | None] = [*range(rank - 1), None]
        output = join(
            call, [(with_axes(steps, order), call.outputs[0]), *start], call.outputs[0]
        )
        shapes = tuple(state.shape for state in call.outputs[1:])
        memory = Memory("state", shapes) if carries else None
        return Flow((output, *final), memory)

    def _states(
        self, call: FlowCall, steps: Dependence, last: Dependence
    ) -> tuple[list[Operand], list[Dependence]]:
        """The initial states as inputs of each step, and what the last ones depend on."""
        batch = list(range(len(steps.axes) - 2))
        final = with_axes(last, [None, *batch, None])
        start: list[Operand] = []
        first: list[Operand] = []
        for flow, kind in call.operands(*(port.name for port in self.inputs[1:])):
            held = without(flow, {0, kind.rank - 1}, f"{self.name} starts from T")
            order = [n + 1 for n in batch]
            start.append(
                (
                    with_axes(held, [*order, None, None]),
                    call.outputs[0].with_shape(*kind.shape[1:-1], 1, 1),
                )
            )
            first.append(
                (
                    with_axes(held, [None, *order, None]),
                    kind.with_shape(1, *kind.shape[1:-1], 1),
                )
            )
        states = [
            join(call, [(final, state), *first], state) for state in call.outputs[1:]
        ]
        return start, states

    def sequence(self, input: TensorType) -> TensorType:
        """The type of the output sequence; the two directions are concatenated."""
        return input.with_size(-1, self.width * self.directions)

    def state(self, ctx: Context, input: TensorType, width: Dim) -> TensorType:
        """The type of the final state: float[num_layers * directions, B, width]."""
        ctx.require_rank("input", input, 2, 3)
        for axis, what in ((-2, "the number of steps"), (-1, "the input's width")):
            ctx.require_least(what, input.shape[axis], 1, "input")
        return input.with_shape(
            self.num_layers * self.directions, *input.shape[:-2], width
        )

    def inferred(self, input: TensorType, **states: Any) -> dict[str, Dim]:
        return {"input_size": input.shape[-1]}

    def weights(self, input: TensorType, **states: Any) -> dict[str, Shape]:
        found: dict[str, Shape] = {}
        for layer in range(self.num_layers):
            for suffix in ("", "_reverse")[: self.directions]:
                size = self._fan_in(layer, input)
                for key, shape in self._tensors(size).items():
                    found[f"{key}_l{layer}{suffix}"] = shape
        return found

    def _fan_in(self, layer: int, input: TensorType) -> Dim:
        return self.width * self.directions if layer else input.shape[-1]

    def _tensors(self, size: Dim) -> dict[str, Shape]:
        """The weights of one layer in one direction, in torch's order."""
        return cell_weights(
            self.gates, size, self.hidden_size, self.width, bias=self.bias
        )

    def flops(
        self, outputs: tuple[TensorType, ...], input: TensorType, **states: Any
    ) -> Dim:
        steps = product(input.shape[:-1])
        matrices = self.weights(input).values()
        return steps * 2 * sum((product(m) for m in matrices if len(m) == 2), Dim.of(0))

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        **states: Any,
    ) -> str:
        sizes = f"{ctx.value(input.shape[-1])} → {ctx.value(outputs[0].shape[-1])}"
        layers = f", {self.num_layers} layers" if self.num_layers > 1 else ""
        return sizes + layers + (", both ways" if self.bidirectional else "")

    def initial_state(self, code: Code) -> Expr:
        return call("StepCarry")

    def apply(self, code: Code, input: Expr, hidden: Expr | None) -> Expr:
        return self._run(code, input, [] if hidden is None else [hidden])

    def _run(self, code: Code, input: Expr, start: Sequence[Expr]) -> Expr:
        state = code.state()
        if state is None:
            return call(code.module(), input, *start)
        return call("resume", state, code.module(), input, *start)


@register("rnn", torch="torch.nn.RNN")
class RNN(Recurrent):
    """Elman RNN, h_t = tanh(W x_t + b + U h_(t-1) + c): float[B, T, D] -> output float[B, T, H].

    H is hidden_size, or twice that if bidirectional. `hidden`, as input and output, is
    float[num_layers * directions, B, hidden_size]; the input defaults to zeros.
    `dropout` is applied between layers.
    """

    nonlinearity: Literal["tanh", "relu"] = "tanh"

    module = "StackedRNN"
    own_module = "nn.RNN"
    library = "rnn"
    gates = 1


@register("gru", torch="torch.nn.GRU")
class GRU(Recurrent):
    """Gated recurrent unit: float[B, T, D] -> output float[B, T, H].

    H is hidden_size, or twice that if bidirectional. `hidden`, as input and output, is
    float[num_layers * directions, B, hidden_size]; the input defaults to zeros.
    `dropout` is applied between layers. Source: Cho et al., 2014.
    """

    module = "StackedGRU"
    own_module = "nn.GRU"
    library = "gru"
    gates = 3


@register("lstm", torch="torch.nn.LSTM")
class LSTM(Recurrent):
    """Long short-term memory: float[B, T, D] -> output float[B, T, H].

    H is hidden_size, or twice that if bidirectional. `hidden` and `cell`, as inputs and
    outputs, are float[num_layers * directions, B, hidden_size]; the inputs default to
    zeros, and are given both or not at all. With `proj_size`, the output and `hidden`
    are projected to that width. `dropout` is applied between layers. Source: Hochreiter
    and Schmidhuber, 1997.
    """

    proj_size: Size | None = None

    module = "StackedLSTM"
    own_module = "nn.LSTM"
    library = "lstm"
    gates = 4
    inputs = (
        Port("input"),
        Port("hidden", optional=True),
        Port("cell", optional=True),
    )
    outputs = ("output", "hidden", "cell")

    @property
    def width(self) -> Dim:
        return self.hidden_size if self.proj_size is None else self.proj_size

    def infer(
        self,
        ctx: Context,
        input: TensorType,
        hidden: TensorType | None,
        cell: TensorType | None = None,
    ) -> Outputs:
        if self.proj_size is not None:
            self._require_projection(ctx, self.proj_size)
        states = (
            self.state(ctx, input, self.width),
            self.state(ctx, input, self.hidden_size),
        )
        require_states(ctx, self.name, (hidden, cell), states)
        return self.sequence(input), *states

    def _require_projection(self, ctx: Context, proj_size: Dim) -> None:
        if not ctx.at_least(self.hidden_size - proj_size, 1):
            raise errors.constraint(
                f"proj_size is {ctx.value(proj_size)}, but must be below hidden_size",
                argument="proj_size",
            )

    def _tensors(self, size: Dim) -> dict[str, Shape]:
        found = super()._tensors(size)
        if self.proj_size is not None:
            found["weight_hr"] = (self.proj_size, self.hidden_size)
        return found

    def apply(
        self, code: Code, input: Expr, hidden: Expr | None, cell: Expr | None = None
    ) -> Expr:
        return self._run(code, input, state_argument(code, hidden, cell))

    def targets(self, names: tuple[Expr, ...]) -> Expr:
        return TupleExpr((names[0], state_targets(names[1:])))
