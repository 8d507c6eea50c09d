"""Numbers in a row (arange, linspace), and the coordinates of grids."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from compiler.codegen.python import Expr, attr, call, lit
from compiler.op import errors
from compiler.op.arg_types import Axis, Count, Extent, Integer
from compiler.op.context import Context
from compiler.op.dependence import SIZE, Dependence, Positions, moved_known
from compiler.op.flow import FlowCall, flow_rule, sized_axes
from compiler.op.flow_rules import position_axis, source
from compiler.op.op import ANY, Code, NumberedOutputs, Op, Port
from compiler.op.registry import register
from compiler.ops.embedding import position_range
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("arange", torch="torch.arange")
class Arange(Op):
    """Integers start, start + step, ... below `end`: any[...] -> int[N].

    Without `end`, they are the positions 0, 1, 2, ... along a dimension, and the input supplies N, the size of its
    dimension `dim` (by default 1). With `end`, which may be a symbol, it only supplies the device.
    """

    end: Extent | None = None
    start: Extent = Dim.of(0)
    step: Integer = Dim.of(1)
    dim: Axis | None = None

    family = "creation"
    inputs = (Port("input", ANY),)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if self.end is None:
            return TensorType("int", (input.shape[self._axis(ctx, input)],))
        if self.dim is not None:
            message = "arange takes either an end, or the dim whose size it is"
            raise errors.constraint(message, argument="dim")
        step = ctx.constant(self.step, "step", "step")
        if step == 0:
            raise errors.constraint("step must not be 0", argument="step")
        distance = self.end - self.start if step > 0 else self.start - self.end
        ctx.require_least("the distance from start to end", distance, 0)
        return TensorType("int", (-(-distance // abs(step)),))

    def _axis(self, ctx: Context, input: TensorType) -> int:
        for key, default in (("start", 0), ("step", 1)):
            if vars(self)[key] != default:
                message = f"arange with a {key} needs an end"
                raise errors.constraint(message, argument=key)
        return ctx.axis(1 if self.dim is None else self.dim, input.rank)

    @flow_rule("positions", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """The number of each place; only the size of the input is used. An `end` that reads T depends on all of it."""
        if self.end is not None:
            reason = "arange counts to an end that reads T: give it the dim in place of the end"
            found = Dependence(sized_axes(call, call.outputs[0]))
            return found.also({SIZE}, reason) if found.carries else found
        dim = 1 if self.dim is None else self.dim
        axis = position_axis(call["input"], call.type("input"), dim)
        return Dependence((axis,), known=None if axis is None else Positions(0))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        if self.end is None:
            return ""
        return f"{ctx.value(self.start)} to {ctx.value(self.end)}"

    def apply(self, code: Code, input: Expr) -> Expr:
        if self.end is None:
            dim = code.argument("dim") if code.given("dim") else lit(1)
            return position_range(code, input, dim)
        step = [code.argument("step")] if code.given("step") else []
        start = [code.argument("start")] if step or code.given("start") else []
        ends = [*start, code.argument("end"), *step]
        return call("torch.arange", *ends, device=attr(input, "device"))


@register("linspace", torch="torch.linspace")
class Linspace(Op):
    """Numbers at equal distances from `start` to `end`, both included: any[...] -> float[steps].

    Their number is known, since torch.export fixes it; for as many as a symbol says, scale an `arange`. The input only
    supplies the device, and the precision if it is float.
    """

    start: float
    end: float
    steps: Count

    family = "creation"
    inputs = (Port("input", ANY),)

    flow = source

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return TensorType("float", (self.steps,))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{self.start:g} to {self.end:g}"

    def apply(self, code: Code, input: Expr) -> Expr:
        ends = [code.argument(key) for key in ("start", "end", "steps")]
        same = code.type("input").kind == "float"
        dtype = {"dtype": attr(input, "dtype")} if same else {}
        return call("torch.linspace", *ends, **dtype, device=attr(input, "device"))


@register("meshgrid", torch="torch.meshgrid")
class Meshgrid(NumberedOutputs):
    """The coordinates of all points of a grid: any[H], any[W] -> any[H, W], any[H, W]; of any number of dimensions.

    Output k holds input k, which varies along dimension k; with `indexing: xy`, the first two dimensions are
    swapped: any[W, H].
    """

    indexing: Literal["ij", "xy"] = "ij"

    family = "creation"
    inputs = (Port("inputs", ANY, variadic=True),)
    chains = False

    def infer(
        self, ctx: Context, inputs: tuple[TensorType, ...]
    ) -> tuple[TensorType, ...]:
        for number, one in enumerate(inputs):
            ctx.require_rank(f"input {number}", one, 0, 1)
        if len({one.kind for one in inputs}) > 1:
            raise errors.constraint("meshgrid needs inputs of one dtype")
        shape = tuple(inputs[n].numel for n in self._order(len(inputs)))
        return (TensorType(inputs[0].kind, shape),) * len(inputs)

    def _order(self, count: int) -> list[int]:
        """The input that varies along each dimension, which is also the dimension along which each input does."""
        order = list(range(count))
        return [1, 0, *order[2:]] if self.indexing == "xy" and count > 1 else order

    @flow_rule("positions")
    def flow(self, call: FlowCall) -> tuple[Dependence, ...]:
        """Along its dimension, an output reads its input; along the others only sizes are used."""
        flows = [flow for flow, _ in call.operands()]
        order = self._order(len(flows))
        axes = [flows[n].axes[0] if flows[n].axes else None for n in order]
        found = []
        for number, flow in enumerate(flows):
            own = order[number]
            kept = (a if a is None or n == own else a.free for n, a in enumerate(axes))
            known = moved_known(flow.known, {0: own}.get)
            found.append(replace(flow, axes=tuple(kept), known=known))
        return tuple(found)

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        inputs: tuple[TensorType, ...],
    ) -> str:
        return " × ".join(str(ctx.value(size)) for size in outputs[0].shape)

    def apply(self, code: Code, inputs: tuple[Expr, ...]) -> Expr:
        return call("torch.meshgrid", *inputs, indexing=lit(self.indexing))
