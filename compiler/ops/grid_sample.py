"""Sampling images at positions given by a tensor."""

from __future__ import annotations

from typing import Any, Literal

from compiler.codegen.python import Call, Expr, call, lit
from compiler.op import errors
from compiler.op.arg_types import Shape
from compiler.op.combine_flows import AxisJoiner, plus, without
from compiler.op.context import Context
from compiler.op.dependence import SIZE, Dependence
from compiler.op.flow import FlowCall, flow_rule, sized_axes
from compiler.op.op import Code, Op, Port
from compiler.op.registry import register
from compiler.symbolic.tensor import TensorType, shape_text


class _GridOp(Op):
    """Base class: `align_corners` says whether -1 and 1 are the centres or the edges of the border pixels."""

    align_corners: bool = False

    def aligned(self, code: Code) -> dict[str, Expr]:
        """The keyword `align_corners`, always passed: torch warns without it."""
        return {"align_corners": code.argument("align_corners")}


@register("grid_sample", torch="torch.nn.functional.grid_sample")
class GridSample(_GridOp):
    """Samples the input at the positions in `grid`, from -1 to 1 in each dimension.

    float[N, C, H, W], float[N, H', W', 2] -> float[N, C, H', W'], or 3D: float[N, C, D,
    H, W], float[N, D', H', W', 3] -> float[N, C, D', H', W']. The last dimension of the
    grid holds x, y (and z).
    """

    mode: Literal["bilinear", "nearest", "bicubic"] = "bilinear"
    padding_mode: Literal["zeros", "border", "reflection"] = "zeros"

    inputs = (Port("input"), Port("grid"))

    def infer(self, ctx: Context, input: TensorType, grid: TensorType) -> TensorType:
        ctx.require_rank("input", input, 4, 5)
        ctx.require_rank("grid", grid, input.rank)
        if self.mode == "bicubic":
            ctx.require_rank("input", input, 4)
        message = "grid_sample needs one grid per image"
        ctx.require_equal(message, input.shape[0], grid.shape[0], "grid")
        wanted = f"grid_sample needs {input.rank - 2} coordinates in the last dimension"
        two = TensorType("float", ()).with_shape(input.rank - 2).shape[0]
        ctx.require_equal(wanted, grid.shape[-1], two, "grid")
        for size in input.shape[2:]:
            ctx.require_least("a spatial size", size, 1, "input")
        return input.with_shape(*input.shape[:2], *grid.shape[1:-1])

    @flow_rule("sized")
    def flow(self, call: FlowCall) -> Dependence:
        """An element reads the image where the grid says: anywhere in T."""
        (flow, kind), (grid, places) = call.operand("input"), call.operand("grid")
        reason = "grid_sample reads anywhere in T"
        image = without(flow, range(2, kind.rank), reason)
        points = without(grid, {places.rank - 1}, reason)
        joiner = AxisJoiner(kind.rank)
        for n, axis in enumerate((*image.axes[:2], *[None] * (kind.rank - 2))):
            joiner.add(n, axis)
        joiner.add(0, points.axes[0])
        for n, axis in enumerate(points.axes[1:-1], 2):
            joiner.add(n, axis)
        return joiner.result(image, points)

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        grid: TensorType,
    ) -> str:
        return self.mode

    def apply(self, code: Code, input: Expr, grid: Expr) -> Call:
        given = self.keywords(code) | self.aligned(code)
        return call("F.grid_sample", input, grid, **given)


@register("affine_grid", torch="torch.nn.functional.affine_grid")
class AffineGrid(_GridOp):
    """The sampling grid of affine transforms, for grid_sample with an output of `size`.

    float[N, 2, 3] -> float[N, H, W, 2] for the size [N, C, H, W], or 3D: float[N, 3, 4]
    -> float[N, D, H, W, 3] for [N, C, D, H, W]. Under torch.export, H and W are static.
    """

    size: Shape

    inputs = (Port("theta"),)

    def infer(self, ctx: Context, theta: TensorType) -> TensorType:
        if len(self.size) not in (4, 5):
            message = "size must be [N, C, H, W] or [N, C, D, H, W]"
            raise errors.constraint(message, argument="size")
        for size in self.size:
            ctx.require_least("an element of size", size, 1)
        ctx.require_rank("theta", theta, 3)
        count = len(self.size) - 2
        wanted = theta.with_shape(self.size[0], count, count + 1)
        message = f"affine_grid needs matrices of shape {shape_text(wanted.shape)}"
        for found, right in zip(theta.shape, wanted.shape, strict=True):
            ctx.require_equal(message, found, right, "theta")
        return theta.with_shape(self.size[0], *self.size[2:], count)

    @flow_rule("sized", reads_sizes=True)
    def flow(self, call: FlowCall) -> Dependence:
        """Coordinates go from -1 to 1, so that they depend on the size."""
        reason = "the grid follows from the size of T"
        theta = without(call["theta"], {1, 2}, reason)
        (output,) = call.outputs
        axes = sized_axes(call, output)
        found = plus(Dependence((theta.axes[0], *axes[1:])), theta)
        return found.also({SIZE}, reason) if any(axes[1:]) else found

    def apply(self, code: Code, *args: Any, **inputs: Any) -> Call:
        size = lit(code.argument("size"))
        return call("F.affine_grid", inputs["theta"], size, **self.aligned(code))
