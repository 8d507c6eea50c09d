"""Shape operations: reshape, expand, flatten, permute, transpose, squeeze."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from compiler.codegen.python import Call, Expr, call, method
from compiler.op import errors
from compiler.op.arg_types import Axes, Axis, Shape
from compiler.op.combine_flows import aligned, element, join, plus, regrouped, with_axes
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.op import Code, product
from compiler.op.registry import register
from compiler.ops._tensor_method import (
    TensorMethod,
    list_argument,
    shape_arguments,
    wrap_axes,
    wrap_axis,
)
from compiler.symbolic.dims import Dim, without_common_factors
from compiler.symbolic.short_size import short_size
from compiler.symbolic.tensor import TensorType, shape_text


def resolve_shape(ctx: Context, total: Dim, shape: Shape, argument: str) -> Shape:
    """A shape of `total` elements, with its -1 replaced by the inferred size.

    Raises:
        OpError: if the elements do not fit, or more than one size is -1.
    """
    holes = [i for i, size in enumerate(shape) if ctx.value(size) == -1]
    if len(holes) > 1:
        raise errors.constraint("at most one size can be -1", argument=argument)
    known = [size for i, size in enumerate(shape) if i not in holes]
    for size in known:  # with a size of 0, -1 would be ambiguous
        ctx.require_least(f"an element of {argument}", size, len(holes))
    rest = product(known)
    if not holes:
        _require_total(ctx, total, rest, shape, argument)
        return shape
    left = total // rest
    if ctx.quotient(total, rest) is None:
        _require_total(ctx, total, left * rest, shape, argument)
    else:
        ctx.note_multiple(*without_common_factors(total, rest))
    return (*shape[: holes[0]], left, *shape[holes[0] + 1 :])


def _require_total(
    ctx: Context, total: Dim, new: Dim, shape: Shape, argument: str
) -> None:
    if not ctx.equal(*without_common_factors(total, new)):
        text = shape_text(tuple(ctx.value(size) for size in shape))
        raise errors.constraint(
            f"{ctx.value(total)} elements do not fit the shape {text}",
            argument=argument,
            conditions=ctx.when_equal(total, new),
        )


class ToShape(TensorMethod):
    """Base class: a method that takes sizes as separate arguments, such as `x.reshape(n, -1)`."""

    shape: Shape

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return shape_text(tuple(ctx.value(size) for size in self.shape), short_size)

    def apply(self, code: Code, input: Expr) -> Expr:
        return method(
            input, self.method, *(shape_arguments(code.argument("shape")) or ((),))
        )


@register("reshape", torch="torch.reshape")
class Reshape(ToShape):
    """Reshapes to `shape`: any[...] -> any[shape]. One size may be -1, which is inferred."""

    method = "reshape"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input.with_shape(*resolve_shape(ctx, input.numel, self.shape, "shape"))

    @flow_rule("axes merged", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """T alone in its group moves, and merged with others is remembered until it is split again."""
        shape = call.type("input").shape
        return regrouped(call, call["input"], shape, call.outputs[0].shape)


@register("expand", torch="torch.Tensor.expand")
class Expand(ToShape):
    """Expands dimensions of size 1 without a copy: any[..., 1, ...] -> any[shape].

    A size of -1 in `shape` keeps the input's; additional sizes in front add dimensions.
    """

    method = "expand"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        added = len(self.shape) - input.rank
        if added < 0:
            wanted = f"at most {len(self.shape)} dimensions to match the shape"
            raise errors.rank_mismatch("input", input, wanted)
        new = tuple(self._size(ctx, size, None) for size in self.shape[:added])
        pairs = zip(self.shape[added:], input.shape, strict=True)
        return input.with_shape(*new, *(self._size(ctx, *pair) for pair in pairs))

    @flow_rule("axes moved", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """Sizes that read T make an axis that carries T and needs no input."""
        (output,) = call.outputs
        found = join(call, [call.operand("input")], output)
        axes = tuple(
            call.axis_of(size) if axis is None and self._adds(call, n) else axis
            for n, (axis, size) in enumerate(zip(found.axes, output.shape, strict=True))
        )
        known = aligned(call, call.operand("input"), output)
        return replace(found, axes=axes, known=known)

    def _adds(self, call: FlowCall, axis: int) -> bool:
        """Whether an axis is new, or was of size 1."""
        kind = call.type("input")
        old = axis - (call.outputs[0].rank - kind.rank)
        return old < 0 or call.number(kind.shape[old]) == 1

    def _size(self, ctx: Context, wanted: Dim, size: Dim | None) -> Dim:
        if size is not None and ctx.value(wanted) == -1:
            return size
        ctx.require_least("an element of shape", wanted, 0)
        if size is not None and not ctx.is_one(size):
            message = "expand can only change dimensions of size 1"
            ctx.require_equal(message, size, wanted, "input")
        return wanted


@register("flatten", torch="torch.nn.Flatten")
class Flatten(TensorMethod):
    """Flattens dimensions start_dim to end_dim into one: any[B, C, H, W] -> any[B, C * H * W]."""

    start_dim: Axis = 1
    end_dim: Axis = -1

    module = "nn.Flatten"
    method = "flatten"

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        start = wrap_axis(ctx, self.start_dim, input.rank, "start_dim")
        end = wrap_axis(ctx, self.end_dim, input.rank, "end_dim")
        if end < start:
            raise errors.constraint(
                "flatten needs start_dim at or before end_dim", argument="end_dim"
            )
        one = product(input.shape[start : end + 1])
        return input.with_shape(*input.shape[:start], one, *input.shape[end + 1 :])

    @flow_rule("axes merged", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """As reshape."""
        shape = call.type("input").shape
        return regrouped(call, call["input"], shape, call.outputs[0].shape)

    def apply(self, code: Code, input: Expr) -> Expr:
        positional = [code.argument("start_dim")]
        if code.given("end_dim"):
            positional.append(code.argument("end_dim"))
        return method(input, "flatten", *positional)


@register("unflatten", torch="torch.nn.Unflatten")
class Unflatten(TensorMethod):
    """Splits one dimension into several: any[..., N * M, ...] -> any[..., N, M, ...].

    One of the sizes may be -1, which is inferred.
    """

    dim: Axis
    sizes: Shape

    module = "nn.Unflatten"
    positional = ("dim", "sizes")

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        axis = ctx.axis(self.dim, input.rank)
        if not self.sizes:
            raise errors.constraint("unflatten needs a size", argument="sizes")
        sizes = resolve_shape(ctx, input.shape[axis], self.sizes, "sizes")
        return input.with_shape(*input.shape[:axis], *sizes, *input.shape[axis + 1 :])

    @flow_rule("axes merged", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """As reshape."""
        shape = call.type("input").shape
        return regrouped(call, call["input"], shape, call.outputs[0].shape)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        sizes = shape_text(tuple(ctx.value(size) for size in self.sizes), short_size)
        return f"dim {self.dim} to {sizes}"

    def apply(self, code: Code, input: Expr) -> Expr:
        return method(input, "unflatten", *self._arguments(code))

    def build(self, code: Code, *args: Any, **inputs: Any) -> Call:
        return call(self.module, *self._arguments(code))

    def _arguments(self, code: Code) -> tuple[Expr, Expr]:
        return code.argument("dim"), list_argument(code, self, "sizes")


@register("permute", torch="torch.permute")
class Permute(TensorMethod):
    """Reorders all dimensions: any[A, B, C] -> any[C, A, B] for dims [2, 0, 1]."""

    dims: Axes

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if len(self.dims) != input.rank:
            wanted = f"{len(self.dims)} dimensions to match dims"
            raise errors.rank_mismatch("input", input, wanted)
        wrap_axes(ctx, self.dims, input.rank, "dims")
        return input.with_shape(*(input.shape[axis] for axis in self.dims))

    @flow_rule("axes moved")
    def flow(self, call: FlowCall) -> Dependence:
        """T moves with its axis."""
        rank = len(self.dims)
        return with_axes(call["input"], [axis % rank for axis in self.dims])

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return ", ".join(map(str, self.dims))

    def apply(self, code: Code, input: Expr) -> Expr:
        return method(
            input, "permute", *(shape_arguments(code.argument("dims")) or ((),))
        )


@register("transpose", torch="torch.transpose")
class Transpose(TensorMethod):
    """Swaps two dimensions: any[..., N, M] -> any[..., M, N] for -2 and -1."""

    dim0: Axis
    dim1: Axis

    method = "transpose"
    positional = ("dim0", "dim1")

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        first = wrap_axis(ctx, self.dim0, input.rank, "dim0")
        second = wrap_axis(ctx, self.dim1, input.rank, "dim1")
        order = list(range(input.rank))
        if order:
            order[first], order[second] = second, first
        return input.with_shape(*(input.shape[axis] for axis in order))

    @flow_rule("axes moved")
    def flow(self, call: FlowCall) -> Dependence:
        """T moves with its axis."""
        order = list(range(call.type("input").rank))
        if order:
            first, second = self.dim0 % len(order), self.dim1 % len(order)
            order[first], order[second] = second, first
        return with_axes(call["input"], order)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{self.dim0}, {self.dim1}"


@register("movedim", torch="torch.movedim")
class Movedim(TensorMethod):
    """Moves dimensions, keeping the order of the others.

    any[A, B, C] -> any[B, C, A] for source 0 and destination -1.
    """

    source: Axes
    destination: Axes

    method = "movedim"
    positional = ("source", "destination")

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        if len(self.source) != len(self.destination):
            message = "movedim needs equally many sources and destinations"
            raise errors.constraint(message, argument="destination")
        for argument in ("source", "destination"):
            wrap_axes(ctx, getattr(self, argument), input.rank, argument)
        return input.with_shape(*(input.shape[n] for n in self._order(input.rank)))

    @flow_rule("axes moved")
    def flow(self, call: FlowCall) -> Dependence:
        """T moves with its axis."""
        return with_axes(call["input"], self._order(call.type("input").rank))

    def _order(self, rank: int) -> list[int]:
        """Which dimension of the input each one of the output is."""
        if not rank:
            return []
        moved = {to % rank: fro % rank for fro, to in self._pairs()}
        rest = (n for n in range(rank) if n not in moved.values())
        return [moved[n] if n in moved else next(rest) for n in range(rank)]

    def _pairs(self) -> zip[tuple[int, int]]:
        return zip(self.source, self.destination, strict=True)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return ", ".join(f"{fro} → {to}" for fro, to in self._pairs())


@register("squeeze", torch="torch.squeeze")
class Squeeze(TensorMethod):
    """Removes dimensions of size 1, all or the given ones: any[B, 1, D] -> any[B, D]."""

    dim: Axes | None = None

    method = "squeeze"
    positional = ("dim",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        named = wrap_axes(ctx, self.dim, input.rank)
        if self.dim == ():
            return input
        kept = (
            size
            for axis, size in enumerate(input.shape)
            if axis not in named or not self._is_one(ctx, size)
        )
        return input.with_shape(*kept)

    @flow_rule("axes moved")
    def flow(self, call: FlowCall) -> Dependence:
        """An axis of size 1 goes."""
        flow, kind = call.operand("input")
        named = wrap_axes(call.context, self.dim, kind.rank)
        gone = [n for n in range(kind.rank) if n in named and self._goes(call, kind, n)]
        read_first = [element(flow.axes[n], 0) for n in gone]
        kept = [n for n in range(kind.rank) if n not in gone]
        return with_axes(plus(flow, *read_first), kept)

    def _goes(self, call: FlowCall, kind: TensorType, axis: int) -> bool:
        return self.dim != () and call.number(kind.shape[axis]) == 1

    def _is_one(self, ctx: Context, size: Dim) -> bool:
        """Whether a size is 1; it must be so for all input sizes or for none."""
        if not ctx.is_one(size) and ctx.value(size).constant is None:
            ctx.require_least("the size of a dimension that is kept", size, 2, "input")
        return ctx.is_one(size)

    def apply(self, code: Code, *args: Any, **inputs: Any) -> Call:
        (value,) = inputs.values()
        return method(value, "squeeze", *([code.argument("dim")] * code.given("dim")))


@register("unsqueeze", torch="torch.unsqueeze")
class Unsqueeze(TensorMethod):
    """Inserts a dimension of size 1: any[B, D] -> any[B, 1, D] for dim 1."""

    dim: Axis

    method = "unsqueeze"
    positional = ("dim",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        axis = ctx.axis(self.dim, input.rank + 1)
        return input.with_shape(*input.shape[:axis], 1, *input.shape[axis:])

    @flow_rule("axes moved")
    def flow(self, call: FlowCall) -> Dependence:
        """An axis of size 1 comes."""
        rank = call.type("input").rank
        axis = self.dim % (rank + 1)
        return with_axes(call["input"], [*range(axis), None, *range(axis, rank)])

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"dim {self.dim}"
