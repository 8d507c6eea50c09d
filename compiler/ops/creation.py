"""Tensors created without an input (parameter, buffer, constant), those like an input, identity and detach."""

from __future__ import annotations

from typing import Any, ClassVar

from compiler.codegen.python import Binary, Call, Expr, TupleExpr, call, method
from compiler.op import errors
from compiler.op.arg_types import Factors, Integer, Size, Sizes
from compiler.op.context import Context
from compiler.op.dependence import Dependence, Fill
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import source, unchanged
from compiler.op.op import ANY, Code, Op, Port, Shape, product
from compiler.op.registry import register
from compiler.ops._tensor_method import list_argument, promote, shape_arguments
from compiler.ops._tensor_or_scalar import kind_of
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import Kind, TensorType, shape_text

_SCALAR_SHAPE: tuple[Dim, ...] = ()


class CreationOp(Op):
    """Base class: a tensor that the layer itself holds, with a shape known at construction."""

    inputs: ClassVar[tuple[Port, ...]] = ()
    chains: ClassVar[bool] = False

    def apply(self, code: Code, *args: Any, **inputs: Any) -> Expr:
        return code.module()


class _FilledTensor(CreationOp):
    """Base class of parameter and buffer: saved in the state_dict, and initialised to one value."""

    shape: Sizes
    value: float = 0.0
    flow = source

    def infer(self, ctx: Context) -> TensorType:
        return TensorType("float", self.shape)

    def label(self, ctx: Context, outputs: tuple[TensorType, ...]) -> str:
        return shape_text(ctx.values(outputs[0]).shape)

    def filled(self, code: Code) -> Expr:
        """The expression for the initial tensor."""
        sizes = shape_arguments(code.argument("shape")) or (TupleExpr(()),)
        if not code.given("value"):
            return call("torch.zeros", *sizes)
        ones = call("torch.ones", *sizes)  # float, whatever the dtype of the value
        if code.chosen("value"):
            return Binary("*", code.argument("value"), ones)
        if self.value == 1:
            return ones
        shape = list_argument(code, self, "shape")
        return call("torch.full", shape, float(self.value))


@register("parameter", torch="torch.nn.Parameter")
class Parameter(_FilledTensor):
    """A learned tensor, such as a class token: -> float[shape].

    It is initialised to `value`, or by the layer's `init`.
    """

    def weights(self) -> dict[str, Shape]:
        return {"": self.shape}

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Call:
        return call("nn.Parameter", self.filled(code))


def _listed(
    ctx: Context, values: tuple[int | float, ...], shape: tuple[Dim, ...]
) -> TensorType:
    """The type of numbers one by one, row by row; in one dimension where no shape says more."""
    floats = any(isinstance(one, float) for one in values)
    kind: Kind = "float" if floats else "int"
    count = Dim.of(len(values))
    if not shape:
        return TensorType(kind, (count,))
    if not ctx.equal(product(shape), count):
        message = f"{len(values)} values do not fill {shape_text(ctx.values(TensorType(kind, shape)).shape)}"
        raise errors.constraint(message, argument="values")
    return TensorType(kind, shape)


def _numbers(code: Code, op: Op, shape: tuple[Dim, ...]) -> Expr:
    """`torch.tensor((0.5, 0.25)).view(2, 1)`."""
    numbers = call("torch.tensor", list_argument(code, op, "values"))
    return (
        method(numbers, "view", *shape_arguments(code.argument("shape")))
        if shape
        else numbers
    )


@register("buffer", torch="torch.nn.Buffer")
class Buffer(_FilledTensor):
    """A tensor that is saved with the weights but not trained: -> float[shape].

    It is `value` everywhere, or `values` row by row, until weights are loaded. Use it,
    for example, for published statistics of the training data.
    """

    shape: Sizes = _SCALAR_SHAPE
    values: Factors | None = None

    def infer(self, ctx: Context) -> TensorType:
        if self.values is None:
            return super().infer(ctx)
        return _listed(ctx, self.values, self.shape).with_kind("float")

    def buffers(self) -> dict[str, Shape]:
        count = () if self.values is None else (Dim.of(len(self.values)),)
        return {"": self.shape or count}

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Call:
        if self.values is None:
            return call("nn.Buffer", self.filled(code))
        made = _numbers(code, self, self.shape)
        if not any(isinstance(one, float) for one in self.values):
            made = method(made, "to", call("torch.get_default_dtype"))
        return call("nn.Buffer", made)


@register("constant", torch="torch.full")
class Constant(CreationOp):
    """A constant tensor, neither trained nor saved, of the dtype of its numbers: -> any[shape].

    It is `value` everywhere, or `values` row by row: a list such as [0.5, 0.25], or one
    that is counted, "[2 ** i for i in n]". Without a shape, values have one dimension.
    """

    value: bool | int | float | None = None
    values: Factors | None = None
    shape: Sizes = _SCALAR_SHAPE

    def infer(self, ctx: Context) -> TensorType:
        if (self.value is None) == (self.values is None):
            message = "constant needs either a value or values"
            raise errors.constraint(message, argument="values" if self.values else "")
        if self.values is not None:
            return _listed(ctx, self.values, self.shape)
        return TensorType(kind_of(self.value), self.shape)

    @flow_rule("source")
    def flow(self, call: FlowCall) -> Dependence:
        """A constant depends on no input."""
        known = None if self.value is None else Fill(float(self.value))
        return Dependence((None,) * call.outputs[0].rank, known=known)

    def label(self, ctx: Context, outputs: tuple[TensorType, ...]) -> str:
        if self.values is not None:
            return f"{len(self.values)} values"
        return str(self.value)

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Call:
        if self.values is not None:
            filled: Expr = _numbers(code, self, self.shape)
        elif self.shape:
            shape = list_argument(code, self, "shape")
            filled = call("torch.full", shape, code.argument("value"))
        else:
            filled = call("torch.tensor", code.argument("value"))
        return call("nn.Buffer", filled, persistent=False)


class _TriangleIndices(CreationOp):
    """Base class: where a matrix of row x col is on one side of a diagonal: -> int[2, N], rows and columns."""

    row: Size
    col: Size
    offset: Integer = Dim.of(0)

    flow = source
    above: ClassVar[bool]

    def infer(self, ctx: Context) -> TensorType:
        return TensorType("int", (Dim.of(2), self._count(ctx)))

    def _count(self, ctx: Context) -> Dim:
        """How many there are: of a square, with its diagonal or without, a formula of its side."""
        offset = ctx.constant(self.offset, "offset", "offset")
        rows = ctx.constant(self.row, "row", "row")
        columns = ctx.constant(self.col, "col", "col")
        if self.above:
            rows, columns, offset = columns, rows, -offset
        square = self.row == self.col and self.offset.constant is not None
        if square and offset in (0, -1):
            return self.row * (self.row + (2 * offset + 1)) // 2
        return Dim.of(_places_below(rows, columns, offset))

    def label(self, ctx: Context, outputs: tuple[TensorType, ...]) -> str:
        row, column = ctx.value(self.row), ctx.value(self.col)
        return f"{row} × {column}"

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Call:
        ends = [code.argument("row"), code.argument("col")]
        more = {"offset": code.argument("offset")} if code.given("offset") else {}
        made = call(f"torch.{self.name}", *ends, **more)
        return call("nn.Buffer", made, persistent=False)


def _places_below(rows: int, columns: int, offset: int) -> int:
    """How many places (r, c) have c <= r + offset."""
    first = min(max(-offset, 0), rows)  # the first row that has one
    full = min(max(columns - offset - 1, first), rows)  # from here on all of a row
    growing = (first + offset + 1 + full + offset) * (full - first) // 2
    return growing + (rows - full) * columns


@register("tril_indices", torch="torch.tril_indices")
class TrilIndices(_TriangleIndices):
    """The places below the diagonal of a matrix, and on it: -> int[2, N], their rows and their columns.

    A larger `offset` takes diagonals above it, too; -1 leaves the diagonal out.
    """

    above = False


@register("triu_indices", torch="torch.triu_indices")
class TriuIndices(_TriangleIndices):
    """The places above the diagonal of a matrix, and on it: -> int[2, N], their rows and their columns.

    A smaller `offset` takes diagonals below it, too; 1 leaves the diagonal out.
    """

    above = True


@register("identity", torch="torch.nn.Identity")
class Identity(Op):
    """Returns the input unchanged: any[...] -> any[...]."""

    module = "nn.Identity"
    inputs = (Port("input", ANY),)
    flow = unchanged

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Expr | None:
        return None

    def apply(self, code: Code, input: Expr) -> Expr:
        return input


@register("detach", torch="torch.Tensor.detach")
class Detach(Op):
    """The input, through which no gradient flows back: any[...] -> any[...].

    What it is computed from learns nothing by it: the target of a momentum encoder, the code of a quantised value.
    """

    inputs = (Port("input", ANY),)
    flow = unchanged

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input

    def apply(self, code: Code, input: Expr) -> Expr:
        return method(input, "detach")


def _equal_values(call: FlowCall, value: float) -> Dependence:
    """How a tensor of one value depends on the input that it is like: on its sizes alone."""
    axes = (None if axis is None else axis.free for axis in call["input"].axes)
    return Dependence(tuple(axes), known=Fill(value))


class _Like(Op):
    """Base class: a tensor of one value with the shape and the dtype of the input."""

    inputs = (Port("input", ANY),)
    value: ClassVar[float]

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input

    @flow_rule("source")
    def flow(self, call: FlowCall) -> Dependence:
        """Equal values at all positions; only the sizes of the input are used."""
        return _equal_values(call, self.value)


@register("zeros_like", torch="torch.zeros_like")
class ZerosLike(_Like):
    """Zeros in the shape and of the dtype of the input: any[...] -> any[...]."""

    function = "torch.zeros_like"
    value = 0.0


@register("ones_like", torch="torch.ones_like")
class OnesLike(_Like):
    """Ones in the shape and of the dtype of the input: any[...] -> any[...]."""

    function = "torch.ones_like"
    value = 1.0


@register("full_like", torch="torch.full_like")
class FullLike(_Like):
    """One value in the shape of the input: any[...] -> any[...]; of the dtype of the input."""

    fill_value: bool | int | float

    function = "torch.full_like"
    positional = ("fill_value",)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        kind = kind_of(self.fill_value)
        if promote((kind, input.kind)) != input.kind:
            message = f"a tensor of dtype {input.kind} holds no {kind}"
            raise errors.constraint(message, argument="fill_value")
        return input

    @flow_rule("source")
    def flow(self, call: FlowCall) -> Dependence:
        """Equal values at all positions; only the sizes of the input are used."""
        return _equal_values(call, float(self.fill_value))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return str(self.fill_value)
