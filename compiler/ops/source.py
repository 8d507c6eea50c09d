"""Tensors that come from no input, and the layer that does nothing."""

from __future__ import annotations

from typing import Any, ClassVar

from compiler.codegen.python import Call, Expr, TupleExpr, call
from compiler.context import Context
from compiler.dims import Dim
from compiler.fields import Sizes
from compiler.op import ANY, Code, Op, Port, Shape
from compiler.ops._method import items
from compiler.registry import register
from compiler.tensor import Kind, TensorType, shape_text

SCALAR: tuple[Dim, ...] = ()


class Source(Op):
    """A tensor of the layer's own, whose shape is known when the network is built."""

    inputs: ClassVar[tuple[Port, ...]] = ()
    chains: ClassVar[bool] = False

    def apply(self, code: Code, *args: Any, **inputs: Any) -> Expr:
        return code.module()


@register("parameter", torch="torch.nn.Parameter")
class Parameter(Source):
    """A learned tensor, such as a class token: -> float[shape].

    It starts as zeros, or as its `init` says.
    """

    shape: Sizes

    def infer(self, ctx: Context) -> TensorType:
        return TensorType("float", self.shape)

    def weights(self) -> dict[str, Shape]:
        return {"": self.shape}

    def label(self, ctx: Context, outputs: tuple[TensorType, ...]) -> str:
        return shape_text(ctx.values(outputs[0]).shape)

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Call:
        sizes = items(code.argument("shape"))
        return call("nn.Parameter", call("torch.zeros", *(sizes or (TupleExpr(()),))))


@register("constant", torch="torch.full")
class Constant(Source):
    """A tensor with the same value everywhere, of that value's kind: -> any[shape].

    It is neither learned nor saved.
    """

    value: bool | int | float
    shape: Sizes = SCALAR

    def infer(self, ctx: Context) -> TensorType:
        return TensorType(_kind(self.value), self.shape)

    def label(self, ctx: Context, outputs: tuple[TensorType, ...]) -> str:
        return str(self.value)

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Call:
        value = code.argument("value")
        filled = call("torch.tensor", value)
        if self.shape:
            filled = call("torch.full", TupleExpr(items(code.argument("shape"))), value)
        return call("nn.Buffer", filled, persistent=False)


def _kind(value: bool | int | float) -> Kind:
    if isinstance(value, bool):
        return "bool"
    return "int" if isinstance(value, int) else "float"


@register("identity", torch="torch.nn.Identity")
class Identity(Op):
    """The input, unchanged: any[...] -> any[...]."""

    module = "nn.Identity"
    inputs = (Port("input", ANY),)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Expr | None:
        return None

    def apply(self, code: Code, input: Expr) -> Expr:
        return input
