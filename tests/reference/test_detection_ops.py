"""Layers of detection networks as torchvision has them, as far as its Python goes.

What its compiled kernels give is recorded in tests/library.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

import pytest
import torch
from torchvision import ops

from compiler.library.deform_conv2d import DeformConv2d
from compiler.library.roi_align import roi_align


@pytest.mark.parametrize("seed", range(20))
def test_boxes_are_pooled_as_in_python(seed: int) -> None:
    """Inside of the image, for outside of it torchvision's Python differs from its kernels."""
    python: Any = inspect.unwrap(sys.modules["torchvision.ops.roi_align"]._roi_align)
    torch.manual_seed(seed)
    input = torch.randn(3, 2, 12, 9, dtype=torch.float64, requires_grad=True)
    places = torch.rand(7, 4, dtype=torch.float64) * torch.tensor([8, 11, 8, 11]) + 0.5
    corners = torch.minimum(places[:, :2], places[:, 2:]), places.view(-1, 2, 2).amax(1)
    boxes = torch.cat([torch.randint(3, (7, 1)), *corners], 1) * torch.tensor(
        [1, 2, 2, 2, 2]
    )
    size, ratio, aligned = (1 + seed % 4, 3), 1 + seed % 3, seed % 2 == 0
    found = roi_align(input, boxes, size, ratio, 0.5, aligned)
    expected = python(input, boxes, 0.5, *size, ratio, aligned)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    weights = torch.randn_like(found)
    gradients = [
        torch.autograd.grad(one, input, weights)[0] for one in (found, expected)
    ]
    torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("bias", [True, False])
def test_weights_are_initialised_alike(bias: bool) -> None:
    options: dict[str, Any] = {"kernel_size": (3, 2), "groups": 2, "bias": bias}
    states = []
    for layer in (DeformConv2d, ops.DeformConv2d):
        torch.manual_seed(0)
        states.append(layer(4, 6, **options).state_dict())
    ours, theirs = states
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
