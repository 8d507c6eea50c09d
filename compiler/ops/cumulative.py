"""Cumulative sums, products and extrema along a dimension, and differences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from compiler.codegen.python import Expr, Name, call, method
from compiler.op import errors
from compiler.op.arg_types import Axis, Size
from compiler.op.combine_flows import concatenated, windowed
from compiler.op.context import Context
from compiler.op.flow import Flow, FlowCall, flow_rule, unknown
from compiler.op.flow_rules import running
from compiler.op.op import NUMBER, Code, Op, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import TensorMethod, wrap_axis
from compiler.symbolic.dims import Dim
from compiler.symbolic.explain import when_at_least
from compiler.symbolic.tensor import Kind, TensorType


class _Cumulative(TensorMethod):
    """Base class: each element becomes a function of the elements up to it along a dimension."""

    dim: Axis
    flow = running
    state_library = "running"

    def initial_state(self, code: Code) -> Expr:
        return call("Running")

    def apply(self, code: Code, *args: Any, **inputs: Any) -> Expr:
        state = code.state()
        if state is None:
            return super().apply(code, *args, **inputs)
        (value,), dim = inputs.values(), code.argument("dim")
        longer = call("with_last", state, value, dim)
        return call("without_last", state, super().apply(code, input=longer), dim)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        wrap_axis(ctx, self.dim, input.rank)
        return input.with_kind(self.kind(input.kind))

    def kind(self, kind: Kind) -> Kind:
        """The dtype of the result."""
        return "int" if kind == "bool" else kind

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"dim {self.dim}"


@register("cumsum", torch="torch.cumsum")
class Cumsum(_Cumulative):
    """Cumulative sum along a dimension: any[...] -> number[...]; bools are counted."""

    method = "cumsum"


@register("cumprod", torch="torch.cumprod")
class Cumprod(_Cumulative):
    """Cumulative product along a dimension: any[...] -> number[...]."""

    method = "cumprod"


@register("logcumsumexp", torch="torch.logcumsumexp")
class Logcumsumexp(_Cumulative):
    """Logarithm of the cumulative sum of exp(x) along a dimension: float[...] -> float[...]."""

    method = "logcumsumexp"
    inputs = (Port("input"),)


class _CumulativeExtremum(_Cumulative):
    """Base class: the largest or smallest element so far, and its index along the dimension."""

    inputs: ClassVar[tuple[Port, ...]] = (Port("input", NUMBER),)
    outputs: ClassVar[tuple[str, ...] | None] = ("values", "indices")

    state_library = "running_extremum"

    @flow_rule("window")
    def flow(self, call: FlowCall) -> Flow:
        """An element reads those before it along `dim`, and itself."""
        found = running(self, call)
        memory = found.memory and replace(found.memory, kind="extremum")
        return replace(found, memory=memory)

    def initial_state(self, code: Code) -> Expr:
        return call("RunningExtremum")

    def apply(self, code: Code, input: Expr) -> Expr:
        state = code.state()
        if state is None:
            return super().apply(code, input=input)
        function, dim = Name(self.torch), code.argument("dim")
        return call("running_extremum", state, function, input, dim)

    def infer(  # type: ignore[override]
        self, ctx: Context, input: TensorType
    ) -> tuple[TensorType, ...]:
        wrap_axis(ctx, self.dim, input.rank)
        return input, input.with_kind("int")


@register("cummax", torch="torch.cummax")
class Cummax(_CumulativeExtremum):
    """Cumulative maximum along a dimension, and its index: number[...] -> number[...], int[...]."""

    method = "cummax"


@register("cummin", torch="torch.cummin")
class Cummin(_CumulativeExtremum):
    """Cumulative minimum along a dimension, and its index: number[...] -> number[...], int[...]."""

    method = "cummin"


@register("diff", torch="torch.diff")
class Diff(Op):
    """n-th difference along a dimension: number[..., N] -> number[..., N - n].

    `prepend` and `append` are put before and after the input along it: zeros, or one more value.
    """

    n: Size = Dim.of(1)
    dim: Axis = -1

    inputs = (
        Port("input", NUMBER),
        Port("prepend", NUMBER, optional=True),
        Port("append", NUMBER, optional=True),
    )

    def infer(
        self,
        ctx: Context,
        input: TensorType,
        prepend: TensorType | None = None,
        append: TensorType | None = None,
    ) -> TensorType:
        ctx.require_least_rank("input", input, 1)
        axis = ctx.axis(self.dim, input.rank)
        size = input.shape[axis]
        for port, more in (("prepend", prepend), ("append", append)):
            if more is not None:
                self._require_fits(ctx, input, axis, port, more)
                size += more.shape[axis]
        if ctx.at_least(size - self.n, 0):
            return input.with_size(axis, size - self.n)
        left = ctx.value(size - self.n)
        if ctx.at_least(self.n - size, 0):
            return input.with_size(axis, 0)
        raise errors.constraint(
            f"n needs {left} >= 0 for all input sizes",
            argument="n",
            conditions=when_at_least(ctx.domain, left, 0),
        )

    def _require_fits(
        self, ctx: Context, input: TensorType, axis: int, port: str, more: TensorType
    ) -> None:
        ctx.require_rank(port, more, input.rank)
        if more.kind != input.kind:
            message = f"{port} must be {input.kind} like input, not {more.kind}"
            raise errors.constraint(message, port=port)
        for number, (size, wanted) in enumerate(
            zip(more.shape, input.shape, strict=True)
        ):
            if number != axis:
                message = f"diff needs {port} of the input's sizes beside dim {axis}"
                ctx.require_equal(message, size, wanted, port)

    @flow_rule("window")
    def flow(self, call: FlowCall) -> Flow:
        """Element u reads u to u + n of the input, with what is put before and after it."""
        kind = call.type("input")
        axis, reach = self.dim % kind.rank, call.number(self.n)
        if reach is None:
            return Flow(unknown(call, "n depends on a size"))
        operands = list(call.operands("prepend", "input", "append"))
        flow = concatenated(call, operands, axis, kind.rank)
        return Flow((windowed(flow, axis, 0, reach),))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], **inputs: Any
    ) -> str:
        return f"dim {self.dim}"

    def apply(
        self, code: Code, input: Expr, prepend: Expr | None, append: Expr | None
    ) -> Expr:
        ends = {"prepend": prepend, "append": append}
        given = {port: one for port, one in ends.items() if one is not None}
        return method(input, "diff", **self.keywords(code), **given)
