"""Joining tensors along a dimension, and splitting them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

from compiler.codegen.python import Expr, ListExpr, Starred, TupleExpr, call, method
from compiler.op import errors
from compiler.op.arg_types import Axis, SizeOrShape
from compiler.op.combine_flows import (
    concatenated,
    element,
    join,
    plus,
    shifted,
    with_axes,
    without,
)
from compiler.op.context import Context
from compiler.op.dependence import Dependence, Known, moved_known
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.op import ANY, Code, NumberedOutputs, Op, Port, Shape
from compiler.op.registry import register
from compiler.ops._tensor_method import list_argument, promote
from compiler.symbolic.dims import Dim, exact_div
from compiler.symbolic.tensor import TensorType

MAX_PIECES = 10_000
"""The largest number of outputs of a layer."""

ChunkCount: TypeAlias = Annotated[int, Field(ge=1, le=MAX_PIECES)]
"""A number of outputs. It is a constant, as each output has its own name."""


class _Joining(Op):
    """Base class: several tensors become one."""

    dim: Axis

    inputs: ClassVar[tuple[Port, ...]] = (Port("inputs", ANY, variadic=True),)
    takes_lists = True

    def _require_same_rank(
        self, ctx: Context, inputs: tuple[TensorType, ...], least: int
    ) -> TensorType:
        """Check that there is an input, and that all have its rank; returns it with the promoted dtype."""
        if not inputs:
            raise errors.constraint(f"{self.name} needs an input")
        ctx.require_least_rank("0", inputs[0], least)
        for i, tensor in enumerate(inputs[1:], 1):
            ctx.require_rank(str(i), tensor, inputs[0].rank)
        return inputs[0].with_kind(promote(tensor.kind for tensor in inputs))

    def _require_same_sizes(
        self,
        ctx: Context,
        inputs: tuple[TensorType, ...],
        except_axis: int | None = None,
    ) -> None:
        """Check that all inputs have the same sizes, except in dimension `except_axis`."""
        exception = (
            "" if except_axis is None else f" in all dimensions except {except_axis}"
        )
        message = f"{self.name} needs inputs of equal sizes{exception}"
        for i, tensor in enumerate(inputs[1:], 1):
            for axis, size in enumerate(tensor.shape):
                if axis != except_axis:
                    first = inputs[0].shape[axis]
                    label = (
                        ""
                        if ctx.equal(first, size)
                        else _both_shapes(ctx, inputs[0], tensor)
                    )
                    ctx.require_equal(message, first, size, str(i), label)

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        inputs: tuple[TensorType, ...],
    ) -> str:
        return f"dim {self.dim}"

    def apply(self, code: Code, inputs: tuple[Expr, ...]) -> Expr:
        return call(self.function, _listed(inputs), dim=code.argument("dim"))


def _listed(inputs: tuple[Expr, ...]) -> Expr:
    """`[a, b]`; `features` for `[*features]`."""
    if len(inputs) == 1 and isinstance(inputs[0], Starred):
        return inputs[0].value
    return ListExpr(inputs)


@register("concat", torch="torch.cat")
class Concat(_Joining):
    """Concatenates tensors along a dimension.

    any[..., N, ...], any[..., M, ...] -> any[..., N + M, ...].
    """

    function = typed_function = "torch.cat"
    symbol = "‖"

    def infer(self, ctx: Context, inputs: tuple[TensorType, ...]) -> TensorType:
        first = self._require_same_rank(ctx, inputs, 1)
        axis = ctx.axis(self.dim, first.rank)
        self._require_same_sizes(ctx, inputs, axis)
        total = ctx.total([tensor.shape[axis] for tensor in inputs])
        return first.with_size(axis, total)

    @flow_rule("along T")
    def flow(self, call: FlowCall) -> Dependence:
        """Along T: fixed parts in front are a prefix, and fixed parts after it are beyond its end."""
        (output,) = call.outputs
        axis = self.dim % output.rank
        return concatenated(call, list(call.operands()), axis, output.rank)


@register("stack", torch="torch.stack")
class Stack(_Joining):
    """Stacks n tensors along a new dimension: any[...], any[...], ... -> any[n, ...] for dim 0."""

    function = typed_function = "torch.stack"
    symbol = "≡"

    def infer(self, ctx: Context, inputs: tuple[TensorType, ...]) -> TensorType:
        first = self._require_same_rank(ctx, inputs, 0)
        axis = ctx.axis(self.dim, first.rank + 1)
        self._require_same_sizes(ctx, inputs)
        shape = first.shape
        number = ctx.total([Dim.of(1)] * len(inputs))
        return first.with_shape(*shape[:axis], number, *shape[axis:])

    @flow_rule("axes moved")
    def flow(self, call: FlowCall) -> Dependence:
        """Element by element; the new axis does not carry T."""
        (output,) = call.outputs
        axis = self.dim % output.rank
        kind = output.with_shape(*output.shape[:axis], *output.shape[axis + 1 :])
        joined = join(call, list(call.operands()), kind)
        return with_axes(joined, [*range(axis), None, *range(axis, kind.rank)])


class _Splitting(NumberedOutputs):
    """Base class: one tensor is split along a dimension."""

    inputs: ClassVar[tuple[Port, ...]] = (Port("input", ANY),)

    @flow_rule("along T", reads_sizes=True)
    def flow(self, call: FlowCall) -> tuple[Dependence, ...]:
        """Along T, a piece that starts at a known place."""
        flow, kind = call.operand("input")
        axis = vars(self)["dim"] % kind.rank
        if flow.axes[axis] is None:
            return tuple(
                replace(flow, known=self._known(flow, axis)) for _ in call.outputs
            )
        found: list[Dependence] = []
        start: int | None = 0
        for output in call.outputs:
            if start is None:
                lost = without(flow, {axis}, "pieces start where the size of T says")
                found.append(lost)
                continue
            found.append(shifted(flow, axis, start))
            size = call.number(output.shape[axis])
            start = None if size is None else start + size
        return tuple(found)

    @staticmethod
    def _known(flow: Dependence, axis: int) -> Known:
        """What is known of a piece along an axis that does not carry T."""
        return moved_known(flow.known, lambda n: None if n == axis else n)


@register("split", torch="torch.split")
class Split(_Splitting):
    """Splits a tensor along a dimension into pieces of the given sizes.

    any[..., N + M, ...] -> any[..., N, ...], any[..., M, ...]. If `split_size` is a
    list, it has the size of each piece; if it is an integer, every piece has this size,
    and the last one may be smaller.
    """

    split_size: SizeOrShape
    dim: Axis

    def infer(self, ctx: Context, input: TensorType) -> tuple[TensorType, ...]:
        size = input.shape[axis := ctx.axis(self.dim, input.rank)]
        listed = "split_size" in self.lists
        pieces = (
            self._pieces_of_sizes(ctx, size)
            if listed
            else self._pieces_of_size(ctx, size)
        )
        return tuple(input.with_size(axis, piece) for piece in pieces)

    def _pieces_of_sizes(self, ctx: Context, size: Dim) -> Shape:
        if not self.split_size:
            raise errors.constraint("split needs a size", argument="split_size")
        for piece in self.split_size:
            ctx.require_least("an element of split_size", piece, 0)
        total = sum(self.split_size, Dim.of(0))
        message = "split needs sizes that sum to the dimension's size"
        ctx.require_equal(message, size, total, "input")
        return self.split_size

    def _pieces_of_size(self, ctx: Context, size: Dim) -> Shape:
        """Pieces of one size, and what is left; their number must be known."""
        (piece,) = self.split_size
        ctx.require_least("split_size", piece, 1)
        exact = exact_div(ctx.value(size), ctx.value(piece))
        if exact is not None and exact.constant is not None:
            count, last = exact.constant, piece
        else:
            whole = ctx.constant(size, "the dimension's size", "split_size")
            by = ctx.constant(piece, "split_size", "split_size")
            count = max(1, -(-whole // by))
            last = size - piece * (count - 1)
        if count > MAX_PIECES:
            message = f"split gives at most {MAX_PIECES} pieces, not {count}"
            raise errors.constraint(message, argument="split_size")
        return (*[piece] * (count - 1), last)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        axis = self.dim % input.rank
        return " + ".join(str(ctx.value(output.shape[axis])) for output in outputs)

    def apply(self, code: Code, input: Expr) -> Expr:
        sizes = code.argument("split_size")
        if "split_size" in self.lists:
            sizes = list_argument(code, self, "split_size")
            sizes = ListExpr(sizes.items) if isinstance(sizes, TupleExpr) else sizes
        return call("torch.split", input, sizes, dim=code.argument("dim"))


@register("chunk", torch="torch.chunk")
class Chunk(_Splitting):
    """Splits a tensor along a dimension into n pieces of equal size.

    any[..., n * N, ...] -> n times any[..., N, ...]. If n does not divide the dimension,
    the last piece is smaller.
    """

    chunks: ChunkCount
    dim: Axis

    def infer(self, ctx: Context, input: TensorType) -> tuple[TensorType, ...]:
        axis = ctx.axis(self.dim, input.rank)
        sizes = self._sizes(ctx, input.shape[axis])
        return tuple(input.with_size(axis, size) for size in sizes)

    def _sizes(self, ctx: Context, size: Dim) -> list[Dim]:
        count = self.chunks
        value = ctx.value(size)
        if value.constant is None or value.constant % count == 0:
            what = "the dimension's size"
            ctx.require_multiple(what, size, "chunks", Dim.of(count), "chunks")
            piece = exact_div(size, count)
            return [size // count if piece is None else piece] * count
        piece_size = -(-value.constant // count)  # the last piece is smaller
        last = value.constant - piece_size * (count - 1)
        if last <= 0:
            raise errors.constraint(
                f"a dimension of size {value} cannot be split into {count} chunks",
                argument="chunks",
            )
        return [Dim.of(piece_size)] * (count - 1) + [Dim.of(last)]

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{len(outputs)} × {ctx.value(outputs[0].shape[self.dim])}"

    def apply(self, code: Code, input: Expr) -> Expr:
        arguments = code.argument("chunks"), code.argument("dim")
        return method(input, "chunk", arguments[0], dim=arguments[1])


@register("unbind", torch="torch.unbind")
class Unbind(_Splitting):
    """The slices along a dimension, which is removed: any[..., n, ...] -> n times any[..., ...].

    The size of the dimension must be known.
    """

    dim: Axis

    def infer(self, ctx: Context, input: TensorType) -> tuple[TensorType, ...]:
        axis = ctx.axis(self.dim, input.rank)
        count = ctx.constant(input.shape[axis], "the dimension's size", "dim")
        if not 1 <= count <= MAX_PIECES:
            message = f"unbind gives 1 to {MAX_PIECES} slices, not {count}"
            raise errors.constraint(message, argument="dim")
        kept = (*input.shape[:axis], *input.shape[axis + 1 :])
        return (input.with_shape(*kept),) * count

    @flow_rule("along T", reads_sizes=True)
    def flow(self, call: FlowCall) -> tuple[Dependence, ...]:
        """Along T, whose size is known, each slice is one position."""
        flow, kind = call.operand("input")
        axis = self.dim % kind.rank
        taken = flow.axes[axis]
        found = with_axes(flow, [n for n in range(kind.rank) if n != axis])
        return tuple(
            found if taken is None else plus(found, element(taken, number))
            for number in range(len(call.outputs))
        )

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{len(outputs)} slices of dim {self.dim}"

    def apply(self, code: Code, input: Expr) -> Expr:
        return method(input, "unbind", code.argument("dim"))


def _both_shapes(ctx: Context, left: TensorType, right: TensorType) -> str:
    return f"{ctx.values(left)} and {ctx.values(right)}"
