"""Joining tensors along a dimension, and splitting them."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

from compiler.codegen.python import Expr, ListExpr, TupleExpr, call, method
from compiler.op import errors
from compiler.op.arg_types import Axis, Shape
from compiler.op.context import Context
from compiler.op.op import ANY, Code, Op, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import promote, shape_arguments
from compiler.symbolic.dims import Dim, exact_div
from compiler.symbolic.tensor import TensorType

ChunkCount: TypeAlias = Annotated[int, Field(ge=1, le=10_000)]
"""A number of outputs. It is a constant, as each output has its own name."""


class _Joining(Op):
    """Base class: several tensors become one."""

    dim: Axis

    inputs: ClassVar[tuple[Port, ...]] = (Port("inputs", ANY, variadic=True),)

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
        return call(self.function, ListExpr(inputs), dim=code.argument("dim"))


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
        total = sum((tensor.shape[axis] for tensor in inputs), Dim.of(0))
        return first.with_size(axis, total)


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
        return first.with_shape(*shape[:axis], len(inputs), *shape[axis:])


class _Splitting(Op):
    """Base class: one tensor is split along a dimension into the outputs "0", "1", and so on."""

    inputs: ClassVar[tuple[Port, ...]] = (Port("input", ANY),)
    outputs: ClassVar[tuple[str, ...] | None] = None

    def targets(self, names: tuple[Expr, ...]) -> Expr:
        return TupleExpr(names)


@register("split", torch="torch.split")
class Split(_Splitting):
    """Splits a tensor along a dimension into pieces of the given sizes.

    any[..., N + M, ...] -> any[..., N, ...], any[..., M, ...].
    """

    split_size: Shape
    dim: Axis

    def ports(self) -> tuple[str, ...]:
        return tuple(map(str, range(len(self.split_size))))

    def infer(self, ctx: Context, input: TensorType) -> tuple[TensorType, ...]:
        axis = ctx.axis(self.dim, input.rank)
        if not self.split_size:
            raise errors.constraint("split needs a size", argument="split_size")
        for size in self.split_size:
            ctx.require_least("an element of split_size", size, 0)
        total = sum(self.split_size, Dim.of(0))
        message = "split needs sizes that sum to the dimension's size"
        ctx.require_equal(message, input.shape[axis], total, "input")
        return tuple(input.with_size(axis, size) for size in self.split_size)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return " + ".join(str(ctx.value(size)) for size in self.split_size)

    def apply(self, code: Code, input: Expr) -> Expr:
        sizes = ListExpr(shape_arguments(code.argument("split_size")))
        return call("torch.split", input, sizes, dim=code.argument("dim"))


@register("chunk", torch="torch.chunk")
class Chunk(_Splitting):
    """Splits a tensor along a dimension into n pieces of equal size.

    any[..., n * N, ...] -> n times any[..., N, ...]. If n does not divide the dimension,
    the last piece is smaller.
    """

    chunks: ChunkCount
    dim: Axis

    def ports(self) -> tuple[str, ...]:
        return tuple(map(str, range(self.chunks)))

    def infer(self, ctx: Context, input: TensorType) -> tuple[TensorType, ...]:
        axis = ctx.axis(self.dim, input.rank)
        sizes = self._sizes(ctx, input.shape[axis])
        return tuple(input.with_size(axis, size) for size in sizes)

    def _sizes(self, ctx: Context, size: Dim) -> list[Dim]:
        count = self.chunks
        value = ctx.value(size)
        if value.constant is None or value.constant % count == 0:
            ctx.require_multiple(
                "the dimension's size", size, "chunks", Dim.of(count), "chunks"
            )
            piece = exact_div(size, count)
            return [size // count if piece is None else piece] * count
        piece_size = -(-value.constant // count)
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


def _both_shapes(ctx: Context, left: TensorType, right: TensorType) -> str:
    return f"{ctx.values(left)} and {ctx.values(right)}"
