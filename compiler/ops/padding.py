"""Padding, and cropping to the size of another input."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from compiler.codegen.python import Expr, TupleExpr, call, lit, method, subscript
from compiler.op import errors
from compiler.op.arg_types import Axes, Integers
from compiler.op.combine_flows import shifted, without
from compiler.op.context import Context
from compiler.op.dependence import SIZE, Dependence
from compiler.op.flow import Flow, FlowCall, flow_rule
from compiler.op.op import ANY, NUMBER, Code, Op, Port, Shape
from compiler.op.registry import register
from compiler.ops._padding_flow import padded
from compiler.ops._spatial import require_padding_fits
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("pad", torch="torch.nn.functional.pad")
class Pad(Op):
    """Pads the last dimensions: [..., H, W] -> [..., H', W'].

    `pad` is [left, right, top, bottom, ...], from the last dimension on. Mode constant
    pads with `value`, and negative numbers crop. The other modes pad 1 to 3 spatial
    dimensions of [N, C, ...]; N is optional.
    """

    pad: Integers
    mode: Literal["constant", "reflect", "replicate", "circular"] = "constant"
    value: float = 0.0

    function = "F.pad"
    state_library = "recent"
    positional = ("pad",)
    inputs = (Port("input", ANY),)

    def infer(self, ctx: Context, input: TensorType) -> TensorType:
        self.require_settings(ctx, input)
        shape = list(input.shape)
        for i in range(len(self.pad) // 2):
            ends = self.pad[2 * i : 2 * i + 2]
            shape[-1 - i] = padded_size(ctx, self.mode, shape[-1 - i], ends, "pad")
        return input.with_shape(*shape)

    @flow_rule("paddings")
    def flow(self, call: FlowCall) -> Flow:
        """Padding by P in front: element u reads u - P; negative padding crops."""
        return padded(call, self.mode, self.pad)

    def can_resume(self, axis: int) -> bool:
        """Where it pads with a constant, in front, and takes no more away at the end than it adds."""
        front, end = self.pad[-2 * axis - 2 :][:2]
        left, most = front + end, end.constant
        if self.mode != "constant" or left == 0 or end == 0:
            return self.mode == "constant"
        return most is not None and most < 0 and (left.constant or -1) > 0

    def initial_state(self, code: Code) -> Expr:
        return call("Recent")

    def apply(self, code: Code, input: Expr) -> Expr:
        state = code.state()
        if state is None:
            return super().apply(code, input=input)
        axis, written = code.past_axis(), code.argument("pad")
        front = -2 * axis - 2
        counts = [
            written.items[n]
            if isinstance(written, TupleExpr)
            else subscript(written, n)
            for n in range(len(self.pad))
        ]
        options = {"value": code.argument("value")} if code.given("value") else {}
        padded = call("pad_past", state, input, counts[front], axis, **options)
        counts[front] = lit(0)
        if all(n == front or size == 0 for n, size in enumerate(self.pad)):
            return padded
        return call(self.function, padded, TupleExpr(tuple(counts)), **options)

    def require_settings(self, ctx: Context, input: TensorType) -> None:
        """Check that `pad` fits the input's rank, and the mode its dtype."""
        count, odd = divmod(len(self.pad), 2)
        if odd:
            message = "pad needs two numbers per dimension, one for each end"
            raise errors.constraint(message, argument="pad")
        if self.mode != "constant" and not 1 <= count <= 3:
            message = f"{self.mode} mode pads 1 to 3 dimensions, not {count}"
            raise errors.constraint(message, argument="pad")
        if self.mode != "constant" and self.value:
            message = f"value requires constant mode, not {self.mode}"
            raise errors.constraint(message, argument="value")
        require_dims(ctx, self.mode, input, count)
        if self.mode in ("reflect", "replicate"):
            ctx.require_kind("input", input, NUMBER)


def require_dims(ctx: Context, mode: str, input: TensorType, count: int) -> None:
    """Check that the rank is one that the mode accepts to pad `count` dimensions."""
    if mode == "constant":
        ctx.require_least_rank("input", input, count)
    else:
        ctx.require_rank("input", input, count + 1, count + 2)


def padded_size(ctx: Context, mode: str, size: Dim, ends: Shape, argument: str) -> Dim:
    """The size with padding at both ends."""
    before, after = (ctx.constant(end, argument, argument) for end in ends)
    if mode == "constant":
        cut = min(before, 0) + min(after, 0)
        ctx.require_least("the cropped size", size + cut, 0, "input")
        return size + ends[0] + ends[1]
    if min(before, after) < 0:
        message = f"{mode} mode does not accept negative padding"
        raise errors.constraint(message, argument=argument)
    for reach in ends:
        require_padding_fits(ctx, mode, size, reach, argument)
    ctx.require_least("the size of a padded dimension", size, 1, "input")
    return size + ends[0] + ends[1]


@register("crop", torch="torch.Tensor.narrow")
class Crop(Op):
    """Crops the centre of the input to the size of another: [..., H, W], [..., h, w] -> [..., h, w].

    `dims` are the cropped dimensions, the last two by default. If the difference is
    odd, one more element is removed at the end than at the start. To crop by given
    amounts, use `pad` with negative numbers.
    """

    dims: Axes = (-2, -1)

    inputs = (Port("input", ANY), Port("like", ANY))
    chains = False

    def infer(self, ctx: Context, input: TensorType, like: TensorType) -> TensorType:
        ctx.require_rank("like", like, input.rank)
        axes = [ctx.axis(axis, input.rank, "dims") for axis in self.dims]
        if len(set(axes)) < len(axes):
            raise errors.constraint("dims has a repeated dimension", argument="dims")
        for axis in axes:
            size = like.shape[axis]
            ctx.require_least(
                "the number of cropped elements", input.shape[axis] - size, 0, "like"
            )
            input = input.with_size(axis, size)
        return input

    @flow_rule("along T")
    def flow(self, call: FlowCall) -> Dependence:
        """Cropped by a known number in front: element u reads u + n."""
        (flow, kind), like = call.operand("input"), call.type("like")
        for dim in self.dims:
            axis = dim % kind.rank
            cut = call.value(kind.shape[axis]) - call.value(like.shape[axis])
            if flow.axes[axis] is None and not call.reads(cut):
                continue
            if cut.constant is None:
                flow = without(flow, {axis}, "crops by what the size of T says")
                flow = flow.also({SIZE}, "crops by what the size of T says")
            else:
                flow = shifted(flow, axis, cut.constant // 2)
        return replace(flow, known=None)

    def apply(self, code: Code, input: Expr, like: Expr) -> Expr:
        source, target = code.type("input").shape, code.type("like").shape
        for axis in self.dims:
            size, wanted = source[axis], target[axis]
            if size != wanted:
                start = code.size((size - wanted) // 2)
                input = method(input, "narrow", axis, start, code.size(wanted))
        return input
