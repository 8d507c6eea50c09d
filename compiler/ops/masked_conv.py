"""Convolutions that see a part of their window only."""

from __future__ import annotations

from typing import Literal

from compiler.op.registry import register
from compiler.ops.conv import Conv2d


@register("masked_conv2d", torch="")
class MaskedConv2d(Conv2d):
    """Convolution whose kernel is zero below its centre, and right of it in its row.

    float[N, in_channels, H, W] -> float[N, out_channels, H', W'], or without N. With
    mask_type A the centre is zero too, as a first layer needs it that must not see the
    pixel that is predicted; with B it is not. Source: van den Oord et al., "Pixel
    Recurrent Neural Networks", 2016, section 3.4.
    """

    mask_type: Literal["A", "B"]

    family = "conv"
    module = "MaskedConv2d"
    library = "masked_conv2d"
