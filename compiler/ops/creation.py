"""Tensors that come from no input, and the layer that does nothing."""

from __future__ import annotations

from typing import Any, ClassVar

from compiler.codegen.python import Binary, Call, Expr, TupleExpr, call
from compiler.op.arg_types import Axis, Sizes
from compiler.op.context import Context
from compiler.op.op import ANY, Code, Op, Port, Shape
from compiler.op.registry import register
from compiler.ops._tensor_method import shape_arguments
from compiler.ops._tensor_or_scalar import kind_of
from compiler.ops.embedding import position_range
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType, shape_text

_SCALAR_SHAPE: tuple[Dim, ...] = ()


class CreationOp(Op):
    """A tensor of the layer's own, whose shape is known when the network is built."""

    inputs: ClassVar[tuple[Port, ...]] = ()
    chains: ClassVar[bool] = False

    def apply(self, code: Code, *args: Any, **inputs: Any) -> Expr:
        return code.module()


class _FilledTensor(CreationOp):
    """What a parameter and a buffer share: both are saved, and begin with one value everywhere."""

    shape: Sizes
    value: float = 0.0

    def infer(self, ctx: Context) -> TensorType:
        return TensorType("float", self.shape)

    def label(self, ctx: Context, outputs: tuple[TensorType, ...]) -> str:
        return shape_text(ctx.values(outputs[0]).shape)

    def filled(self, code: Code) -> Expr:
        """The tensor as it begins."""
        sizes = shape_arguments(code.argument("shape")) or (TupleExpr(()),)
        if not code.given("value"):
            return call("torch.zeros", *sizes)
        ones = call("torch.ones", *sizes)  # of floats, whatever the value is
        if code.chosen("value"):
            return Binary("*", code.argument("value"), ones)
        if self.value == 1:
            return ones
        shape = TupleExpr(shape_arguments(code.argument("shape")))
        return call("torch.full", shape, float(self.value))


@register("parameter", torch="torch.nn.Parameter")
class Parameter(_FilledTensor):
    """A learned tensor, such as a class token: -> float[shape].

    It starts with `value` everywhere, or as its `init` says.
    """

    def weights(self) -> dict[str, Shape]:
        return {"": self.shape}

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Call:
        return call("nn.Parameter", self.filled(code))


@register("buffer", torch="torch.nn.Buffer")
class Buffer(_FilledTensor):
    """A tensor that is saved with the weights and not learned: -> float[shape].

    It has `value` everywhere until weights are loaded, as statistics of the data that
    are published with a network have.
    """

    def buffers(self) -> dict[str, Shape]:
        return {"": self.shape}

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Call:
        return call("nn.Buffer", self.filled(code))


@register("constant", torch="torch.full")
class Constant(CreationOp):
    """A tensor with the same value everywhere, of that value's kind: -> any[shape].

    It is neither learned nor saved.
    """

    value: bool | int | float
    shape: Sizes = _SCALAR_SHAPE

    def infer(self, ctx: Context) -> TensorType:
        return TensorType(kind_of(self.value), self.shape)

    def label(self, ctx: Context, outputs: tuple[TensorType, ...]) -> str:
        return str(self.value)

    def construct(self, code: Code, *args: Any, **inputs: Any) -> Call:
        value = code.argument("value")
        filled = call("torch.tensor", value)
        if self.shape:
            filled = call(
                "torch.full", TupleExpr(shape_arguments(code.argument("shape"))), value
            )
        return call("nn.Buffer", filled, persistent=False)


@register("arange", torch="torch.arange")
class Arange(Op):
    """The positions along a dimension, from 0: any[B, T, ...] -> int[T].

    The input only gives the size of its dimension `dim`.
    """

    dim: Axis = 1

    inputs = (Port("input", ANY),)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        length = input.shape[ctx.axis(self.dim, input.rank)]
        return TensorType("int", (length,))

    def apply(self, code: Code, input: Expr) -> Expr:
        return position_range(input, code.argument("dim"))


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
