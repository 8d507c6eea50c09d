"""Masked (causal) convolution over images."""

from __future__ import annotations

from typing import Literal

from compiler.op.flow import FlowCall
from compiler.op.flow_rules import Window
from compiler.op.registry import register
from compiler.ops.conv import Conv2d


@register("masked_conv2d", torch="")
class MaskedConv2d(Conv2d):
    """2D convolution that sees only pixels before the current one in row-major order.

    float[N, in_channels, H, W] -> float[N, out_channels, H', W']; N is optional. The
    kernel is zero below its centre row and, in that row, right of the centre. With
    mask_type A the centre is zero too, as in a first layer, which must not see the
    pixel it predicts; with B it is not. Source: van den Oord et al., "Pixel Recurrent
    Neural Networks", 2016, section 3.4.
    """

    mask_type: Literal["A", "B"]

    family = "conv"
    module = "MaskedConv2d"
    library = "masked_conv2d"

    def windows(self, call: FlowCall) -> list[Window]:
        """Rows up to the centre; of the centre's row, columns before it, and of rows above, all."""
        found: list[Window] = []
        sizes = map(call.number, self.per_dim(self.kernel_size, "kernel_size"))
        height, width = (size or 1 for size in sizes)
        for axis, (first, last, stride) in enumerate(super().windows(call)):
            size = (height, width)[axis]
            step = (last - first) // max(size - 1, 1)
            middle = first + step * (size // 2)
            if axis == 0:
                last = middle
            elif height == 1:
                last = max(first, middle - step * (self.mask_type == "A"))
            found.append((first, last, stride))
        return found
