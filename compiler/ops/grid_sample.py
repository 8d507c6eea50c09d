"""Images read at places that a tensor gives."""

from __future__ import annotations

from typing import Any, Literal

from compiler.codegen.python import Call, Expr, call, lit
from compiler.op import errors
from compiler.op.arg_types import Shape
from compiler.op.context import Context
from compiler.op.op import Code, Op, Port
from compiler.op.registry import register
from compiler.symbolic.tensor import TensorType, shape_text


class _GridOp(Op):
    """What both share: where the edges of an image are, which torch asks to be told."""

    align_corners: bool = False

    def aligned(self, code: Code) -> dict[str, Expr]:
        """The argument; without it torch warns."""
        return {"align_corners": code.argument("align_corners")}


@register("grid_sample", torch="torch.nn.functional.grid_sample")
class GridSample(_GridOp):
    """The input at places from -1 to 1 (x, then y, then z) that the grid gives.

    float[N, C, H, W], float[N, H', W', 2] -> float[N, C, H', W'], or of volumes
    float[N, C, D, H, W], float[N, D', H', W', 3] -> float[N, C, D', H', W'].
    """

    mode: Literal["bilinear", "nearest", "bicubic"] = "bilinear"
    padding_mode: Literal["zeros", "border", "reflection"] = "zeros"

    inputs = (Port("input"), Port("grid"))

    def infer(self, ctx: Context, input: TensorType, grid: TensorType) -> TensorType:
        ctx.require_rank("input", input, 4, 5)
        ctx.require_rank("grid", grid, input.rank)
        if self.mode == "bicubic":
            ctx.require_rank("input", input, 4)
        message = "grid_sample needs one grid for each image"
        ctx.require_equal(message, input.shape[0], grid.shape[0], "grid")
        wanted = f"grid_sample needs {input.rank - 2} coordinates in the last dimension"
        two = TensorType("float", ()).with_shape(input.rank - 2).shape[0]
        ctx.require_equal(wanted, grid.shape[-1], two, "grid")
        for size in input.shape[2:]:
            ctx.require_least("a spatial size", size, 1, "input")
        return input.with_shape(*input.shape[:2], *grid.shape[1:-1])

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
    """The places for grid_sample that matrices move those of an image of `size` to.

    float[N, 2, 3] -> float[N, H, W, 2] for the size [N, C, H, W], or of volumes
    float[N, 3, 4] -> float[N, D, H, W, 3] for [N, C, D, H, W]. An exported program
    has H and W as they were when it was exported.
    """

    size: Shape

    inputs = (Port("theta"),)

    def infer(self, ctx: Context, theta: TensorType) -> TensorType:
        if len(self.size) not in (4, 5):
            message = "size is that of images: [N, C, H, W] or [N, C, D, H, W]"
            raise errors.constraint(message, argument="size")
        for size in self.size:
            ctx.require_least("a size", size, 1)
        ctx.require_rank("theta", theta, 3)
        count = len(self.size) - 2
        wanted = theta.with_shape(self.size[0], count, count + 1)
        message = f"affine_grid needs matrices of {shape_text(wanted.shape)}"
        for found, right in zip(theta.shape, wanted.shape, strict=True):
            ctx.require_equal(message, found, right, "theta")
        return theta.with_shape(self.size[0], *self.size[2:], count)

    def apply(self, code: Code, *args: Any, **inputs: Any) -> Call:
        size = lit(code.argument("size"))
        return call("F.affine_grid", inputs["theta"], size, **self.aligned(code))
