"""Attention masks, where True means attend, and operations with masks."""

from __future__ import annotations

import math
from dataclasses import replace

from compiler.codegen.python import (
    Binary,
    Compare,
    Expr,
    Unary,
    attr,
    call,
    method,
    subscript,
)
from compiler.op import errors
from compiler.op.arg_types import Axis, Integer
from compiler.op.combine_flows import join
from compiler.op.context import Context
from compiler.op.dependence import Dependence, Guard
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.flow_rules import mapped, pointwise, position_axis
from compiler.op.op import ANY, NUMBER, Code, Op, Port
from compiler.op.registry import register
from compiler.ops._known_values import as_fill, chosen, joined_with, knowns
from compiler.ops._sdpa_mask import all_true, unless_none
from compiler.symbolic.tensor import TensorType


@register("causal_mask", torch="torch.tril")
class CausalMask(Op):
    """True at and below the diagonal: any[B, T, ...] -> bool[T, T].

    As an attention mask, it lets each position attend to itself and earlier positions.
    The input only supplies T, the size of its dimension `dim`.
    """

    dim: Axis = 1

    inputs = (Port("input", ANY),)
    column_axes = (1,)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        length = input.shape[ctx.axis(self.dim, input.rank)]
        return TensorType("bool", (length, length))

    @flow_rule("mask")
    def flow(self, call: FlowCall) -> Dependence:
        """True for an element of the column up to that of the row: s <= t."""
        axis = position_axis(call["input"], call.type("input"), self.dim)
        known = Guard(0, 1, -math.inf, 0, 0.0, 1.0) if axis is not None else None
        return Dependence((axis, axis), known=known)

    def apply(self, code: Code, input: Expr) -> Expr:
        length = subscript(attr(input, "shape"), code.argument("dim"))
        before = code.offset()
        if before is None:
            return method(all_true(length, length, input), "tril")
        columns = Binary("+", before, length)
        return method(all_true(length, columns, input), "tril", before)


@register("padding_mask", torch="torch.ne")
class PaddingMask(Op):
    """True for tokens that are not padding: int[B, T] -> bool[B, T]; any shape."""

    padding_idx: Integer

    inputs = (Port("input", ("int",)),)
    flow = pointwise

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input.with_kind("bool")

    def label(
        self, ctx: Context, outputs: tuple[TensorType, ...], input: TensorType
    ) -> str:
        return f"≠ {ctx.value(self.padding_idx)}"

    def apply(self, code: Code, input: Expr) -> Expr:
        return Compare("!=", input, code.argument("padding_idx"))


@register("logical_not", torch="torch.logical_not")
class LogicalNot(Op):
    """Elementwise not: bool[...] -> bool[...]."""

    inputs = (Port("input", ("bool",)),)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        return input

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """The mask turned: what was False outside is True."""
        (known,) = knowns(call)
        return joined_with(call, mapped(known, lambda x: 1 - x))

    def apply(self, code: Code, input: Expr) -> Expr:
        return Unary("~", input)


@register("masked_fill", torch="torch.Tensor.masked_fill")
class MaskedFill(Op):
    """`value` where the mask is True, else the input: any[...], bool[...] -> any[...].

    Shapes broadcast. As in torch, True means fill: apply `logical_not` first to a mask
    where True means attend.
    """

    value: float | int | bool

    inputs = (Port("input", ANY), Port("mask", ("bool",)))

    def infer(self, ctx: Context, input: TensorType, mask: TensorType) -> TensorType:
        if input.kind == "int" and not abs(self.value) < 2**63:
            message = f"masked_fill cannot write {self.value} into an int tensor"
            raise errors.constraint(message, argument="value")
        shape = ctx.broadcast("masked_fill", {"input": input, "mask": mask})
        return input.with_shape(*shape)

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """The value where the mask is True, so that outside a mask it is known."""
        input, mask = knowns(call)
        return joined_with(call, chosen(mask, as_fill(self.value), input))

    def apply(self, code: Code, input: Expr, mask: Expr) -> Expr:
        return method(input, "masked_fill", mask, code.argument("value"))


@register("masking", torch="torch.where")
class Masking(Op):
    """Zeroes the input where the mask is False: number[B, T, ...], bool[B, T]? -> number[B, T, ...].

    This is torch.where(mask[..., None], input, 0), so NaN and infinity are zeroed too.
    The mask has any number of the input's leading dimensions, each of the input's size
    or 1; without a mask, the input is unchanged. Source: Keras' Masking.
    """

    inputs = (Port("input", NUMBER), Port("mask", ("bool",), optional=True))

    def infer(
        self, ctx: Context, input: TensorType, mask: TensorType | None
    ) -> TensorType:
        if mask is not None:
            self._require_expands(ctx, input, mask)
        return input

    @flow_rule("pointwise")
    def flow(self, call: FlowCall) -> Dependence:
        """The mask has the leading axes of the input."""
        flow, mask = call["input"], call["mask"]
        added = len(flow.axes) - len(mask.axes)
        wide = replace(mask, axes=mask.axes + (None,) * added)
        operands = [call.operand("input")]
        if call.has("mask"):
            kind = call.type("mask")
            operands.append((wide, kind.with_shape(*kind.shape, *[1] * added)))
        return join(call, operands, call.outputs[0])

    def _require_expands(
        self, ctx: Context, input: TensorType, mask: TensorType
    ) -> None:
        """Check that the mask broadcasts to the input, not the reverse, which would change the result's shape."""
        if mask.rank > input.rank:
            wanted = f"at most {input.rank} dimensions to match the input"
            raise errors.rank_mismatch("mask", mask, wanted)
        message = (
            "masking needs a mask that broadcasts to the input's leading dimensions"
        )
        for size, wanted_size in zip(mask.shape, input.shape, strict=False):
            if not ctx.is_one(size):
                ctx.require_equal(message, size, wanted_size, "mask")

    def apply(self, code: Code, input: Expr, mask: Expr | None) -> Expr:
        if mask is None:
            return input
        added = code.type("input").rank - code.type("mask").rank
        aligned = subscript(mask, ..., *[None] * added) if added else mask
        masked = call("torch.where", aligned, input, 0)
        return unless_none(mask, code.optional("mask"), masked, input)
