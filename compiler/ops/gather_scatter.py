"""Reading and writing elements at indices that are a tensor.

The indices must be within the dimension; this is not checked.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.codegen.python import Binary, Compare, Expr, call, lit, method
from compiler.op import errors
from compiler.op.arg_types import Axis
from compiler.op.combine_flows import (
    AxisJoiner,
    all_of,
    element,
    join,
    plus,
    read,
    without,
)
from compiler.op.context import Context
from compiler.op.dependence import Along, AxisFlow, Dependence, Known, Positions
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import whole
from compiler.op.op import ANY, NUMBER, Code, Op, Port
from compiler.op.registry import register
from compiler.symbolic.tensor import TensorType


class _AlongIndex(Op):
    """Base class: indices along one dimension of the input."""

    dim: Axis

    inputs: ClassVar[tuple[Port, ...]] = (Port("input", ANY), Port("index", ("int",)))
    by_place = True

    def axis(self, ctx: Context, input: TensorType) -> int:
        """The dimension as a non-negative index; it must not be empty."""
        ctx.require_least_rank("input", input, 1)
        axis = ctx.axis(self.dim, input.rank)
        ctx.require_least("the dimension's size", input.shape[axis], 1, "input")
        return axis


def require_within(
    ctx: Context, index: TensorType, other: TensorType, port: str, except_axis: int = -1
) -> None:
    """Check that the index is no larger than the other tensor in any dimension except `except_axis`."""
    ctx.require_rank("index", index, other.rank)
    for axis, (taken, size) in enumerate(zip(index.shape, other.shape, strict=True)):
        if axis != except_axis:
            what = f"the size of dimension {axis} of {port} minus that of index"
            ctx.require_least(what, size - taken, 0, "index")


@register("gather", torch="torch.gather")
class Gather(_AlongIndex):
    """Gathers elements at indices along a dimension: any[B, N], int[B, M] -> any[B, M].

    For dim 1, output[i][j] is input[i][index[i][j]]. The output has the shape of the
    index, whose sizes other than that of `dim` must be at most the input's.
    """

    def infer(self, ctx: Context, input: TensorType, index: TensorType) -> TensorType:
        require_within(ctx, index, input, "input", self.axis(ctx, input))
        return index.with_kind(input.kind)

    @flow_rule("gather")
    def flow(self, call: FlowCall) -> Dependence:
        """Along another axis: element by element. Along T: by positions that lie before, a delay."""
        return _gathered(call, self.dim, "index")

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        index: TensorType,
    ) -> str:
        return f"dim {self.dim}"

    def apply(self, code: Code, input: Expr, index: Expr) -> Expr:
        return method(input, "gather", code.argument("dim"), index)


@register("take_along_dim", torch="torch.take_along_dim")
class TakeAlongDim(_AlongIndex):
    """Gather with broadcasting: any[B, N], int[1, M] -> any[B, M] for dim 1.

    `indices` can be the output of argsort, topk, or argmax with keepdim; negative ones
    count from the end.
    """

    inputs = (Port("input", ANY), Port("indices", ("int",)))

    def infer(self, ctx: Context, input: TensorType, indices: TensorType) -> TensorType:
        axis = self.axis(ctx, input)
        ctx.require_rank("indices", indices, input.rank)
        pair = {"input": input.with_size(axis, 1), "indices": indices}
        return input.with_shape(*ctx.broadcast("take_along_dim", pair))

    @flow_rule("gather")
    def flow(self, call: FlowCall) -> Dependence:
        """As gather, broadcast."""
        return _gathered(call, self.dim, "indices")

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        indices: TensorType,
    ) -> str:
        return f"dim {self.dim}"

    def apply(self, code: Code, input: Expr, indices: Expr) -> Expr:
        dim = code.argument("dim")
        expansion = self._expansion(code)
        if expansion is None:
            return call("torch.take_along_dim", input, indices, dim=dim)
        size = code.size(code.type("input").shape[self.dim])
        from_end = Compare("<", indices, lit(0))  # gather takes none
        indices = call("torch.where", from_end, Binary("+", indices, size), indices)
        if expansion:
            indices = method(indices, "expand", *expansion)
        return method(input, "gather", dim, indices)

    def _expansion(self, code: Code) -> list[Expr] | None:
        """How to expand the indices for `gather`; None if the input would have to be expanded.

        torch.take_along_dim would make all sizes static under torch.export.
        """
        shapes = code.type("input").shape, code.type("indices").shape
        sizes: list[Expr] = []
        for axis, (size, taken) in enumerate(zip(*shapes, strict=True)):
            same = size == taken or axis == self.dim % len(shapes[0])
            if not same and taken != 1:
                return None
            sizes.append(lit(-1) if same else code.size(size))
        return [] if all(size == lit(-1) for size in sizes) else sizes


@register("index_select", torch="torch.index_select")
class IndexSelect(_AlongIndex):
    """Selects slices at indices of a dimension: any[B, N, D], int[M] -> any[B, M, D] for dim 1."""

    def infer(self, ctx: Context, input: TensorType, index: TensorType) -> TensorType:
        axis = self.axis(ctx, input)
        ctx.require_rank("index", index, 0, 1)
        return input.with_size(axis, index.numel)

    @flow_rule("gather")
    def flow(self, call: FlowCall) -> Dependence:
        """Along another axis: element by element. Along T: by positions that lie before, a delay."""
        flow, (index, kind) = call["input"], call.operand("index")
        axis = self.dim % len(flow.axes)
        new = index.axes[0] if kind.rank else None
        found = plus(read(flow, axis, None), index)
        own, rest = _read_by_index(flow.axes[axis], new, index.known, 0)
        return read(plus(found, rest), axis, own)

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        index: TensorType,
    ) -> str:
        return f"dim {self.dim}"

    def apply(self, code: Code, input: Expr, index: Expr) -> Expr:
        return method(input, "index_select", code.argument("dim"), index)


class _Scatter(_AlongIndex):
    """Base class: writes elements of one tensor into another at indices along a dimension."""

    kinds: ClassVar[str] = ""

    def infer(
        self, ctx: Context, input: TensorType, index: TensorType, src: TensorType
    ) -> TensorType:
        require_within(ctx, index, input, "input", self.axis(ctx, input))
        require_within(ctx, index, src, "src")
        if input.kind != src.kind:
            message = f"src must be {input.kind} like input, not {src.kind}"
            raise errors.constraint(message, port="src")
        return input

    @flow_rule("gather")
    def flow(self, call: FlowCall) -> Dependence:
        """Along another axis: element by element. Along T: anywhere."""
        (output,) = call.outputs
        axis, reason = self.dim % output.rank, f"{self.name} writes anywhere in T"
        operands = [
            (without(flow, {axis}, reason), kind) for flow, kind in call.operands()
        ]
        joiner = AxisJoiner(output.rank)
        for flow, _ in operands:
            for n, one in enumerate(flow.axes):
                joiner.add(n, one)
        return joiner.result(*(flow for flow, _ in operands))

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        index: TensorType,
        src: TensorType,
    ) -> str:
        return f"dim {self.dim}"

    def apply(self, code: Code, input: Expr, index: Expr, src: Expr) -> Expr:
        return method(input, self.name, code.argument("dim"), index, src)


@register("scatter", torch="torch.scatter")
class Scatter(_Scatter):
    """Replaces elements at indices along a dimension by those of `src`.

    any[B, N], int[B, M], any[B, M] -> any[B, N] for dim 1.
    """

    inputs = (*_AlongIndex.inputs, Port("src", ANY))


@register("scatter_add", torch="torch.scatter_add")
class ScatterAdd(_Scatter):
    """Adds the elements of `src` at indices along a dimension.

    number[B, N], int[B, M], number[B, M] -> number[B, N] for dim 1.
    """

    inputs = (Port("input", NUMBER), Port("index", ("int",)), Port("src", NUMBER))


@register("scatter_reduce", torch="torch.scatter_reduce")
class ScatterReduce(_Scatter):
    """Combines the elements of `src` at indices along a dimension, with those of the input.

    number[B, N], int[B, M], number[B, M] -> number[B, N] for dim 1. With `include_self` false, elements of the input
    that `src` writes to do not count.
    """

    reduce: Literal["sum", "prod", "mean", "amax", "amin"]
    include_self: bool = True

    inputs = (Port("input", NUMBER), Port("index", ("int",)), Port("src", NUMBER))

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        index: TensorType,
        src: TensorType,
    ) -> str:
        return f"{self.reduce} in dim {self.dim}"

    def apply(self, code: Code, input: Expr, index: Expr, src: Expr) -> Expr:
        reduce = code.argument("reduce")
        given = code.given("include_self")
        more = {"include_self": code.argument("include_self")} if given else {}
        dim = code.argument("dim")
        return method(input, "scatter_reduce", dim, index, src, reduce, **more)


@register("index_add", torch="torch.index_add")
class IndexAdd(_AlongIndex):
    """Adds slices at indices of a dimension, times `alpha`.

    number[B, N, D], int[M], number[B, M, D] -> number[B, N, D] for dim 1.
    """

    dim: Axis
    alpha: int | float = 1

    positional = ("dim",)
    inputs = (Port("input", NUMBER), Port("index", ("int",)), Port("source", NUMBER))

    def infer(
        self, ctx: Context, input: TensorType, index: TensorType, source: TensorType
    ) -> TensorType:
        axis = self.axis(ctx, input)
        ctx.require_rank("index", index, 1)
        if input.kind != source.kind:
            message = f"source must be {input.kind} like input, not {source.kind}"
            raise errors.constraint(message, port="source")
        if isinstance(self.alpha, float) and input.kind == "int":
            message = "alpha must be an integer for integers"
            raise errors.constraint(message, argument="alpha")
        wanted = input.with_size(axis, index.shape[0])
        ctx.require_rank("source", source, input.rank)
        for number, sizes in enumerate(zip(source.shape, wanted.shape, strict=True)):
            what = f"the size of dimension {number} of source must fit"
            ctx.require_equal(what, *sizes, "source")
        return input

    @flow_rule("gather")
    def flow(self, call: FlowCall) -> Dependence:
        """Along another axis: slice by slice. Along T, or with an index that carries T: anywhere."""
        (output,) = call.outputs
        axis, reason = self.dim % output.rank, f"{self.name} writes anywhere in T"
        input, source = (
            without(call[port], {axis}, reason) for port in ("input", "source")
        )
        index = without(call["index"], {0}, reason)
        joiner = AxisJoiner(output.rank)
        for flow in (input, source):
            for n, one in enumerate(flow.axes):
                joiner.add(n, one)
        return joiner.result(input, source, index)

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        index: TensorType,
        source: TensorType,
    ) -> str:
        return f"dim {self.dim}"

    def apply(self, code: Code, input: Expr, index: Expr, source: Expr) -> Expr:
        return method(
            input,
            "index_add",
            code.argument("dim"),
            index,
            source,
            **self.keywords(code),
        )


@register("masked_scatter", torch="torch.Tensor.masked_scatter")
class MaskedScatter(Op):
    """Replaces elements where the mask is True by those of `source`, in order.

    any[...], bool[...], any[...] -> any[...].
    Input and mask broadcast. The source needs as many elements as the mask has True; this is not checked.
    """

    inputs = (Port("input", ANY), Port("mask", ("bool",)), Port("source", ANY))

    def infer(
        self, ctx: Context, input: TensorType, mask: TensorType, source: TensorType
    ) -> TensorType:
        if input.kind != source.kind:
            message = f"source must be {input.kind} like input, not {source.kind}"
            raise errors.constraint(message, port="source")
        pair = {"input": input, "mask": mask}
        return input.with_shape(*ctx.broadcast("masked_scatter", pair))

    flow = whole

    def apply(self, code: Code, input: Expr, mask: Expr, source: Expr) -> Expr:
        return method(input, "masked_scatter", mask, source)


_BY_DATA = "reads T at an index that is data"


def _gathered(call: FlowCall, dim: int, port: str) -> Dependence:
    """Elements of the input at an index along a dimension, and elsewhere at the same place."""
    flow, (index, kind) = call["input"], call.operand(port)
    (output,) = call.outputs
    axis = dim % output.rank
    rest = read(flow, axis, None)
    one = call.type("input").with_size(axis, 1)
    found = join(call, [(rest, one), (index, kind)], output)
    place = index.known.axis if isinstance(index.known, Positions) else axis
    own, lost = _read_by_index(flow.axes[axis], found.axes[place], index.known, place)
    return plus(read(found, place, own), lost)


def _read_by_index(
    source: AxisFlow, target: AxisFlow, known: Known, place: int
) -> tuple[AxisFlow, Dependence]:
    """The axis of the index, where it is positions, with what it reads of an axis; and what it reads of all of it."""
    if source is None:
        return target, Dependence()
    if not isinstance(known, Positions) or known.axis != place:
        return target, all_of(source, _BY_DATA)
    if isinstance(source, Along) and isinstance(target, Along):
        reading = target.reading(source, known.shift, known.shift)
        if reading is not None:
            return reading, element(source, 0)
    return target, all_of(source, _BY_DATA)
