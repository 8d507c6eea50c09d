"""A convolution that reads where offsets say, as torchvision.ops.deform_conv2d."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.export import Dim
from torch.nn import functional as F

from compiler.library.deform_conv2d import DeformConv2d
from tests.library.test_roi_align import checksum, wave

OPTIONS: list[dict[str, Any]] = [
    {"kernel_size": 3, "padding": 1},
    {"kernel_size": (2, 3), "stride": (2, 1), "padding": (0, 2), "groups": 2},
    {"kernel_size": (3, 1), "dilation": 2, "padding": 2, "bias": False},
]
RECORDED: list[tuple[tuple[int, int, bool, float], list[float]]] = [
    (
        (0, 1, False, 0.0),
        [
            -6.6241217988,
            -1.98494143797,
            7.32220700967,
            -1.40665004464,
            -0.0198922078212,
        ],
    ),
    (
        (0, 2, True, 1.5),
        [
            -6.96200297684,
            2.63914496432,
            5.3733317754,
            -2.26655604692,
            -3.45033826814,
            -0.0198922078212,
        ],
    ),
    (
        (1, 1, True, 0.0),
        [
            0.445365369919,
            9.69110451972,
            -11.9790933452,
            -7.4957183105,
            -0.509116639799,
            5.88727138716,
        ],
    ),
    (
        (1, 4, False, 3.0),
        [2.17056869802, 3.69304914298, 17.9229884629, -0.73590611568, 5.88727138716],
    ),
    (
        (2, 2, True, 1.5),
        [2.86796572591, -1.19319311565, -7.14001544278, -15.119039398, 2.65026370114],
    ),
]
"""Options, groups of offsets, whether there is a mask, the size of offsets; then what torchvision 0.28 computes:
checksums of the output, and of the gradients of the input, the offsets, the mask, the weight and the bias."""


def recorded_inputs(
    options: dict[str, Any], groups: int, masked: bool, reach: float
) -> tuple[DeformConv2d, list[Tensor]]:
    """The layer, and its input, offsets and mask, of a recorded case."""
    layer = DeformConv2d(4, 6, **options).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(wave(*parameter.shape, step=0.9))
    inputs = _Shapes(2, 4, (7, 6), groups).inputs(layer, masked, wave)
    inputs[1] = inputs[1] * reach
    return layer, [one.requires_grad_() for one in inputs]


@dataclass(frozen=True)
class _Shapes:
    n: int
    channels: int
    extents: tuple[int, int]
    groups: int

    def inputs(self, layer: DeformConv2d, masked: bool, make: Any) -> list[Tensor]:
        """An input, offsets for it, and maybe a mask, as `make` gives them."""
        sizes = F.conv2d(
            torch.zeros(1, 1, *self.extents),
            torch.zeros(1, 1, *layer.kernel_size),
            None,
            layer.stride,
            layer.padding,
            layer.dilation,
        ).shape[2:]
        taps = self.groups * layer.kernel_size[0] * layer.kernel_size[1]
        made = [
            make(self.n, self.channels, *self.extents),
            make(self.n, 2 * taps, *sizes),
        ]
        return [*made, make(self.n, taps, *sizes)] if masked else made


@pytest.mark.parametrize("case", RECORDED)
def test_equals_the_kernel_of_torchvision(
    case: tuple[tuple[int, int, bool, float], list[float]],
) -> None:
    (options, groups, masked, reach), expected = case
    layer, inputs = recorded_inputs(OPTIONS[options], groups, masked, reach)
    output = layer(*inputs)
    gradients = _gradients(output, [*inputs, *layer.parameters()])
    found = [checksum(one) for one in (output, *gradients)]
    assert found == pytest.approx(expected, rel=1e-10, abs=1e-10)


def _gradients(output: Tensor, of: list[Tensor]) -> tuple[Tensor, ...]:
    return torch.autograd.grad(output, of, wave(*output.shape, step=0.3))


@pytest.mark.parametrize("seed", range(40))
def test_equals_grid_sample(seed: int) -> None:
    torch.manual_seed(seed)

    def draw(least: int, most: int) -> int:
        return int(torch.randint(least, most + 1, ()))

    groups, offset_groups = draw(1, 3), draw(1, 3)
    options = {
        name: (draw(least, most), draw(least, most))
        for name, least, most in (
            ("kernel_size", 1, 3),
            ("stride", 1, 3),
            ("padding", 0, 2),
            ("dilation", 1, 2),
        )
    }
    channels = groups * offset_groups
    layer = DeformConv2d(channels, 2 * groups, groups=groups, **options).double()
    shapes = _Shapes(draw(1, 3), channels, (draw(5, 8), draw(5, 8)), offset_groups)
    made = shapes.inputs(layer, seed % 2 == 0, torch.randn)
    inputs = [one.double().requires_grad_() for one in made]
    found, expected = layer(*inputs), _by_grid_sample(layer, *inputs)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    of = [*inputs, *layer.parameters()]
    torch.testing.assert_close(
        _gradients(found, of), _gradients(expected, of), rtol=1e-10, atol=1e-10
    )


def _by_grid_sample(
    layer: DeformConv2d, input: Tensor, offset: Tensor, mask: Tensor | None = None
) -> Tensor:
    """The same by torch's own sampling, one position of the kernel after another."""
    (height, width), (kernel_height, kernel_width) = input.shape[2:], layer.kernel_size
    shifts = offset.unflatten(1, (-1, *layer.kernel_size, 2))
    images = input.reshape(-1, input.shape[1] // shifts.shape[1], height, width)
    output: Any = 0 if layer.bias is None else layer.bias[:, None, None]
    steps = torch.meshgrid(*map(torch.arange, offset.shape[2:]), indexing="ij")
    for i in range(kernel_height):
        for j in range(kernel_width):
            y, x = (
                steps[axis] * layer.stride[axis]
                - int(layer.padding[axis])
                + tap * layer.dilation[axis]
                + shifts[:, :, i, j, axis].flatten(0, 1)
                for axis, tap in ((0, i), (1, j))
            )
            grid = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1)
            samples = F.grid_sample(images, grid, align_corners=False)
            if mask is not None:
                weights = mask.unflatten(1, (-1, *layer.kernel_size))[:, :, i, j]
                samples = samples * weights.flatten(0, 1)[:, None]
            samples = samples.reshape(len(input), -1, *offset.shape[2:])
            kernel = layer.weight[:, :, i : i + 1, j : j + 1]
            output = output + F.conv2d(samples, kernel, groups=layer.groups)
    assert isinstance(output, Tensor)
    return output


def test_without_offsets_it_is_a_convolution() -> None:
    layer = DeformConv2d(4, 6, kernel_size=3, stride=2, padding=1, groups=2)
    input = torch.randn(2, 4, 7, 8)
    found = layer(input, torch.zeros(2, 18, 4, 4), torch.ones(2, 9, 4, 4))
    expected = F.conv2d(input, layer.weight, layer.bias, stride=2, padding=1, groups=2)
    torch.testing.assert_close(found, expected)


def test_an_offset_that_is_nan_gives_nan() -> None:
    offset = torch.zeros(1, 2, 4, 4)
    offset[0, 0, 1, 2] = float("nan")
    found = DeformConv2d(1, 1, kernel_size=1)(torch.ones(1, 1, 4, 4), offset)
    assert found.isnan().nonzero().tolist() == [[0, 0, 1, 2]]


def test_places_are_computed_in_float32() -> None:
    """300 and a half is no number of bfloat16."""
    row = torch.arange(400.0).expand(1, 1, 1, 400).bfloat16()
    offset = torch.tensor([0, 0.5]).view(1, 2, 1, 1).expand(1, 2, 1, 400).bfloat16()
    layer = DeformConv2d(1, 1, kernel_size=1, bias=False).bfloat16()
    torch.nn.init.ones_(layer.weight)
    found = layer(row, offset)
    assert torch.equal(found[..., :-1], ((row[..., :-1] + row[..., 1:]) / 2))


def test_exports_and_compiles_for_any_sizes() -> None:
    layer = DeformConv2d(4, 6, kernel_size=(3, 1), padding=(1, 0), groups=2)

    def inputs(n: int, height: int, width: int) -> tuple[Tensor, ...]:
        shapes = _Shapes(n, 4, (height, width), 2)
        return tuple(shapes.inputs(layer, True, torch.randn))

    sizes = ({0: Dim("N"), 2: Dim("H", min=2), 3: Dim("W", min=2)},) * 3
    first = inputs(2, 7, 8)
    exported = torch.export.export(layer, first, dynamic_shapes=sizes).module()
    whole = torch.compile(layer, fullgraph=True, backend="eager", dynamic=True)
    for given in (first, inputs(1, 2, 13), inputs(5, 12, 6)):
        torch.testing.assert_close(exported(*given), layer(*given))
        torch.testing.assert_close(whole(*given), layer(*given))
