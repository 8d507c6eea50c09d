"""Conversion to another dtype, and one-hot encoding."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from compiler.codegen.python import Expr, attr, call, method
from compiler.op import errors
from compiler.op.arg_types import Size
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import appends_axis
from compiler.op.op import ANY, Code, Op, Port
from compiler.op.registry import register
from compiler.ops._known_values import as_integer
from compiler.symbolic.tensor import Kind, TensorType

DTYPES: Final[dict[Kind, Expr]] = {
    "float": call("torch.get_default_dtype"),
    "int": attr("torch", "int64"),
    "bool": attr("torch", "bool"),
}
"""Each dtype, as generated code names it."""


@register("to", torch="torch.Tensor.to")
class To(Op):
    """Converts to another dtype, or to the dtype of another tensor: any[...] -> any[...].

    `dtype: float` is torch's default dtype. If the network may run in another
    precision, use `other`, a tensor of that dtype, instead.
    """

    dtype: Literal["float", "int", "bool"] | None = None

    inputs = (Port("input", ANY), Port("other", ANY, optional=True))

    def infer(
        self, ctx: Context, input: TensorType, other: TensorType | None
    ) -> TensorType:
        if (other is None) == (self.dtype is None):
            raise errors.constraint("to needs either a dtype or a second input")
        return input.with_kind(other.kind if other else self.dtype or "float")

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """The same values; of a second input only the dtype is used."""
        flow = call["input"]
        kind = call.outputs[0].kind
        known = {"float": flow.known, "int": as_integer(flow.known)}.get(kind)
        return replace(flow, known=known)

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        other: TensorType | None,
    ) -> str:
        return outputs[0].kind

    def apply(self, code: Code, input: Expr, other: Expr | None) -> Expr:
        if other is not None:
            return method(input, "to", attr(other, "dtype"))
        assert self.dtype is not None
        if code.type("input").kind == self.dtype:
            return input
        return method(input, "to", DTYPES[self.dtype])


@register("one_hot", torch="torch.nn.functional.one_hot")
class OneHot(Op):
    """One-hot encoding: int[...] -> int[..., num_classes].

    Elements must be at least 0 and below num_classes; this is not checked.
    """

    num_classes: Size

    function = "F.one_hot"
    positional = ("num_classes",)
    inputs = (Port("input", ("int",)),)
    flow = appends_axis

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input.with_shape(*input.shape, self.num_classes)

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"{ctx.value(self.num_classes)}"
