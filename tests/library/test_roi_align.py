"""Boxes of images pooled as by torchvision.ops.roi_align."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional as F

from compiler.library.roi_align import roi_align

BOXES = [
    [0, 1, 1, 5, 4],
    [1, -3.2, 2.5, 20, 6],
    [1, 2, 3, 2, 3],  # of no size
    [0, 6.1, 5.2, 2, 1],  # the wrong way round
    [1, -1, -1, 8, 7],  # to where the weights become 0
    [0, 30, 30, 40, 40],  # outside
]
RECORDED = [
    (3, 2, 1.0, False, -1.3160193475222892, 1.195951356799283),
    ((2, 4), 1, 0.5, True, -1.3503384059403603, -10.761541537861154),
    ((5, 1), 3, 2.0, False, -0.3234118519026624, -2.8939262074436782),
    (1, 4, 0.25, True, -0.7857693105055205, -0.1714304909389576),
]
"""Arguments, and what torchvision 0.28 computes: checksums of the output and of the gradient of the input."""


def wave(*shape: int, step: float = 0.7) -> Tensor:
    """The same numbers everywhere, between -1 and 1."""
    return (torch.arange(torch.Size(shape).numel()).double() * step).sin().view(shape)


def checksum(found: Tensor) -> float:
    """One number in which every element counts differently."""
    return float((found.detach() * wave(*found.shape, step=1.3)).sum())


@pytest.mark.parametrize("case", RECORDED)
def test_equals_the_kernel_of_torchvision(
    case: tuple[int | tuple[int, int], int, float, bool, float, float],
) -> None:
    size, ratio, scale, aligned, *expected = case
    input = wave(2, 3, 7, 8).requires_grad_()
    output = roi_align(input, torch.tensor(BOXES).double(), size, ratio, scale, aligned)
    weights = wave(*output.shape, step=0.3)
    (gradient,) = torch.autograd.grad(output, input, weights)
    found = [checksum(output), checksum(gradient)]
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("seed", range(40))
def test_equals_grid_sample(seed: int) -> None:
    random = torch.Generator().manual_seed(seed)

    def draw(least: int, most: int) -> int:
        return int(torch.randint(least, most + 1, (), generator=random))

    n, channels, height, width = draw(1, 3), draw(1, 3), draw(1, 9), draw(1, 9)
    input = torch.randn(n, channels, height, width, generator=random).double()
    input.requires_grad_()
    scale = 2.0 ** draw(-2, 1)
    corners = torch.rand(draw(1, 5), 4, generator=random).double() * 14 - 3
    image = torch.randint(n, (len(corners), 1), generator=random)
    boxes = torch.cat([image, corners / scale], 1)
    size, ratio, aligned = (draw(1, 4), draw(1, 4)), draw(1, 3), seed % 2 == 0
    found = roi_align(input, boxes, size, ratio, scale, aligned)
    expected = _by_grid_sample(input, boxes, size, ratio, scale, aligned)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    weights = torch.randn(found.shape, generator=random).double()
    gradients = [
        torch.autograd.grad(output, input, weights)[0] for output in (found, expected)
    ]
    torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-10)


def _by_grid_sample(
    input: Tensor,
    boxes: Tensor,
    size: tuple[int, int],
    ratio: int,
    scale: float,
    aligned: bool,
) -> Tensor:
    """The same by torch's own sampling, box by box."""
    pooled = []
    for image, *corners in boxes.tolist():
        x1, y1, x2, y2 = (corner * scale - aligned / 2 for corner in corners)
        y = _places(y1, y2, size[0] * ratio, aligned)
        x = _places(x1, x2, size[1] * ratio, aligned)
        height, width = input.shape[2:]
        rows, columns = (2 * y + 1) / height - 1, (2 * x + 1) / width - 1
        grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)
        samples = F.grid_sample(
            input[int(image)][None],
            grid[None],
            padding_mode="border",
            align_corners=False,
        )
        inside = ((y >= -1) & (y <= height))[:, None] & (x >= -1) & (x <= width)
        pooled.append(F.avg_pool2d(samples[0] * inside, ratio))
    return torch.stack(pooled)


def _places(start: float, end: float, count: int, aligned: bool) -> Tensor:
    length = end - start if aligned else max(end - start, 1)
    return start + (torch.arange(count).double() + 0.5) * length / count


def test_boxes_get_no_gradient() -> None:
    boxes = torch.tensor([[0, 1.0, 1, 3, 3]], requires_grad=True)
    assert not roi_align(torch.randn(1, 2, 6, 6), boxes, 2, 2).requires_grad


def test_a_box_that_is_nan_pools_to_nan() -> None:
    boxes = torch.tensor([[0, float("nan"), 1, 3, 3], [9, 1, 1, 3, 3]])
    found = roi_align(torch.ones(2, 2, 6, 6), boxes, 2, 2)
    assert found[0].isnan().all()
    assert torch.equal(found[1], torch.ones(2, 2, 2))


def test_no_boxes() -> None:
    assert roi_align(torch.ones(2, 3, 6, 6), torch.ones(0, 5), 2, 2).shape == (
        (0, 3, 2, 2)
    )


def test_low_precision_is_computed_in_float32() -> None:
    input, boxes = torch.randn(1, 2, 300, 300), torch.tensor([[0, 250.0, 3, 299, 80]])
    found = roi_align(input.bfloat16(), boxes, 4, 2)
    expected = roi_align(input.bfloat16().float(), boxes, 4, 2)
    assert torch.equal(found, expected.bfloat16())


class _Pool(nn.Module):
    def forward(self, input: Tensor, boxes: Tensor) -> Tensor:
        return roi_align(input, boxes, (3, 2), 2, 0.5, aligned=True)


def test_exports_and_compiles_for_any_sizes() -> None:
    def inputs(n: int, height: int, width: int, count: int) -> tuple[Tensor, Tensor]:
        image = torch.randint(n, (count, 1))
        places = torch.rand(count, 4) * 20 - 2
        return torch.randn(n, 3, height, width), torch.cat([image, places], 1)

    sizes = ({0: Dim("N"), 2: Dim("H", min=2), 3: Dim("W", min=2)}, {0: Dim("K")})
    pool, first = _Pool(), inputs(2, 7, 8, 3)
    exported = torch.export.export(pool, first, dynamic_shapes=sizes).module()
    whole = torch.compile(pool, fullgraph=True, backend="eager", dynamic=True)
    for given in (first, inputs(1, 2, 13, 7), inputs(5, 12, 6, 2)):
        torch.testing.assert_close(exported(*given), pool(*given))
        torch.testing.assert_close(whole(*given), pool(*given))
