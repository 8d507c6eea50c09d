"""New tensors of one value, and the identity matrix, whose sizes may be those of inputs."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.codegen.python import Expr, TupleExpr, attr, call, method
from compiler.op.arg_types import Extent, Shape
from compiler.op.context import Context
from compiler.op.dependence import Dependence, Fill
from compiler.op.flow import FlowCall, flow_rule, sized_axes
from compiler.op.op import ANY, Code, Op, Port
from compiler.op.registry import register
from compiler.ops._tensor_method import list_argument, shape_arguments
from compiler.ops._tensor_or_scalar import kind_of
from compiler.ops.convert import DTYPES
from compiler.symbolic.tensor import Kind, TensorType, shape_text


class _Filled(Op):
    """Base class: a tensor of one value; the input supplies its device, and the precision of floats."""

    shape: Shape

    family: ClassVar[str] = "creation"
    inputs: ClassVar[tuple[Port, ...]] = (Port("input", ANY),)

    @property
    def content(self) -> tuple[Kind, float]:
        """The dtype, and the value."""
        raise TypeError(f"{type(self).__name__} has no value")

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        for size in self.shape:
            ctx.require_least("an element of shape", size, 0)
        return TensorType(self.content[0], self.shape)

    @flow_rule("source", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """Equal values at all positions; of the input nothing is used."""
        _, value = self.content
        return Dependence(sized_axes(call, call.outputs[0]), known=Fill(value))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return shape_text(ctx.values(outputs[0]).shape)

    def dtype_options(self, code: Code) -> dict[str, Expr]:
        """The dtype, where it is not that of the input."""
        kind, _ = self.content
        return {} if code.type("input").kind == kind else {"dtype": DTYPES[kind]}


class _Constant(_Filled):
    """Base class: zeros or ones."""

    dtype: Literal["float", "int", "bool"] = "float"

    value: ClassVar[float]

    @property
    def content(self) -> tuple[Kind, float]:
        return self.dtype, self.value

    def apply(self, code: Code, input: Expr) -> Expr:
        sizes = shape_arguments(code.argument("shape")) or (TupleExpr(()),)
        return method(input, f"new_{self.name}", *sizes, **self.dtype_options(code))


@register("zeros", torch="torch.zeros")
class Zeros(_Constant):
    """Zeros of a shape that may hold symbols, such as [B, heads, T]: any[...] -> any[shape].

    The input only supplies the device, and the precision of floats.
    """

    value = 0.0


@register("ones", torch="torch.ones")
class Ones(_Constant):
    """Ones of a shape that may hold symbols, such as [B, heads, T]: any[...] -> any[shape].

    The input only supplies the device, and the precision of floats.
    """

    value = 1.0


@register("full", torch="torch.full")
class Full(_Filled):
    """One value in a shape that may hold symbols: any[...] -> any[shape], of the dtype of the value.

    The input only supplies the device, and the precision of floats.
    """

    fill_value: bool | int | float

    @property
    def content(self) -> tuple[Kind, float]:
        return kind_of(self.fill_value), float(self.fill_value)

    def apply(self, code: Code, input: Expr) -> Expr:
        shape = list_argument(code, self, "shape")
        value = code.argument("fill_value")
        return method(input, "new_full", shape, value, **self.dtype_options(code))


@register("eye", torch="torch.eye")
class Eye(Op):
    """The identity matrix: any[...] -> float[n, m], with ones where row and column are equal. `m` is `n` by default.

    The sizes may hold symbols, such as T. The input only supplies the device, and the precision if it is float.
    """

    n: Extent
    m: Extent | None = None

    family = "creation"
    inputs = (Port("input", ANY),)
    positional = ("n", "m")

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        shape = (self.n, self.n if self.m is None else self.m)
        for size in shape:
            ctx.require_least("a size of the matrix", size, 0)
        return TensorType("float", shape)

    @flow_rule("source", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """Each element by its place; of the input nothing is used."""
        return Dependence(sized_axes(call, call.outputs[0]))

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return shape_text(ctx.values(outputs[0]).shape)

    def apply(self, code: Code, input: Expr) -> Expr:
        sizes = [code.argument(key) for key in ("n", "m") if code.given(key)]
        same = code.type("input").kind == "float"
        dtype = {"dtype": attr(input, "dtype")} if same else {}
        return call("torch.eye", *sizes, **dtype, device=attr(input, "device"))
