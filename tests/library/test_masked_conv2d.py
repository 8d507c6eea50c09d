"""A pixel is computed from those before it alone."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from compiler.library.masked_conv2d import MaskedConv2d


@pytest.mark.parametrize("mask_type", ["A", "B"])
def test_sees_the_pixels_before(mask_type: str) -> None:
    conv = MaskedConv2d(2, 3, mask_type=mask_type, kernel_size=5, padding=2)
    image = torch.randn(1, 2, 7, 7, requires_grad=True)
    conv(image)[0, :, 3, 3].sum().backward()
    assert image.grad is not None
    seen = image.grad.abs().sum((0, 1)).flatten() > 0
    place = 3 * 7 + 3
    assert bool(seen[place]) == (mask_type == "B")
    assert seen[place - 1] and not seen[place + 1 :].any()


def test_is_a_convolution_with_a_part_of_the_kernel() -> None:
    conv = MaskedConv2d(1, 1, mask_type="A", kernel_size=(3, 2), bias=False)
    weight = conv.weight.detach().clone()
    weight[..., 1, 1:] = weight[..., 2, :] = 0
    image = torch.randn(1, 1, 6, 6)
    assert torch.allclose(conv(image), F.conv2d(image, weight))


def test_stores_what_a_convolution_does() -> None:
    conv = MaskedConv2d(1, 2, mask_type="B", kernel_size=3)
    assert set(conv.state_dict()) == {"weight", "bias"}
