"""Pooling of the regions of images that boxes give."""

from __future__ import annotations

from compiler.codegen.python import Call, Expr, call
from compiler.op.arg_types import Size, Sizes
from compiler.op.combine_flows import AxisJoiner, without
from compiler.op.context import Context
from compiler.op.dependence import Dependence
from compiler.op.flow import FlowCall, flow_rule
from compiler.op.op import Code, Op, Port
from compiler.op.registry import register
from compiler.ops._spatial import per_dim, sizes_text
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType


@register("roi_align", torch="")
class RoiAlign(Op):
    """Pools the boxes of images to one size: bins, each the mean of bilinear samples.

    float[N, C, H, W], float[K, 5] -> float[K, C, *output_size]. A box is the index of
    its image, from 0 to N - 1, then x1, y1, x2, y2; these, times `spatial_scale`, are
    pixels of the input. A bin has `sampling_ratio` samples in each direction
    (torchvision's adaptive number depends on the boxes). With `aligned`, pixel centres
    are at half-integers, as in Detectron2; without it, boxes are at least 1 pixel wide
    and high. Boxes get no gradient. Source: He et al., "Mask R-CNN", 2017;
    torchvision.ops.roi_align.
    """

    output_size: Sizes
    sampling_ratio: Size
    spatial_scale: float = 1.0
    aligned: bool = False

    family = "pooling"
    library = "roi_align"
    positional = ("output_size", "sampling_ratio")
    fresh = True
    inputs = (Port("input"), Port("boxes"))

    def infer(self, ctx: Context, input: TensorType, boxes: TensorType) -> TensorType:
        ctx.require_rank("input", input, 4)
        for size in input.shape[2:]:
            ctx.require_least("a spatial size", size, 1, "input")
        ctx.require_rank("boxes", boxes, 2)
        message = (
            "roi_align needs boxes of 5 numbers: the image's index, x1, y1, x2, y2"
        )
        ctx.require_equal(message, boxes.shape[1], Dim.of(5), "boxes")
        sizes = per_dim(self.output_size, 2, "output_size")
        return input.with_shape(boxes.shape[0], input.shape[1], *sizes)

    @flow_rule("sized")
    def flow(self, call: FlowCall) -> Dependence:
        """A box reads the images where it says: anywhere in T."""
        reason = "roi_align reads anywhere in T"
        image = without(call["input"], {0, 2, 3}, reason)
        boxes = without(call["boxes"], {1}, reason)
        joiner = AxisJoiner(4)
        joiner.add(0, boxes.axes[0])
        joiner.add(1, image.axes[1])
        return joiner.result(image, boxes)

    def label(
        self,
        ctx: Context,
        outputs: tuple[TensorType, ...],
        input: TensorType,
        boxes: TensorType,
    ) -> str:
        return f"to {sizes_text(ctx, per_dim(self.output_size, 2, 'output_size'))}"

    def apply(self, code: Code, input: Expr, boxes: Expr) -> Call:
        places = [code.argument(key) for key in self.positional]
        return call("roi_align", input, boxes, *places, **self.keywords(code))
