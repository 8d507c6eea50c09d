"""Masked (causal) convolution over images."""

from __future__ import annotations

from typing import Literal

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
