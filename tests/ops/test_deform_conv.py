"""Convolutions that read where offsets say; what is computed is compared in tests/library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import SELDOM, label, one_line, some, spread, type_of
from tests.ops.harness import check, infer, tensor

SIZES = spread(2, st.integers(1, 3))


def _as_torchvision(arguments: dict[str, Any]) -> Callable[..., Tensor]:
    """What torchvision accepts, and the shape that it gives: that of a convolution."""
    names = ("stride", "padding", "dilation", "groups")
    options = {name: arguments[name] for name in names if name in arguments}
    kernel = arguments["kernel_size"]

    def convolve(input: Tensor, offset: Tensor, mask: Tensor | None) -> Tensor:
        rows, columns = kernel if isinstance(kernel, list) else (kernel, kernel)
        channels = input.shape[1] // options.get("groups", 1)
        weight = torch.empty(arguments["out_channels"], channels, rows, columns)
        output = F.conv2d(input, weight, **options)
        groups = offset.shape[1] // (2 * rows * columns)
        taps = groups * rows * columns
        if not groups or input.shape[1] % groups:
            raise ValueError("groups of offsets divide the channels")
        for extra, size in ((offset, 2 * taps), (mask, taps)):
            wanted = (len(input), size, *output.shape[2:])
            if extra is not None and extra.shape != wanted:
                raise ValueError(f"{tuple(extra.shape)} is not {wanted}")
        return output

    return convolve


@st.composite
def layers(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, TensorType | None]]:
    """Arguments and inputs; one in a few is of a wrong shape."""
    arguments = {
        "out_channels": draw(st.sampled_from([2, 4, 6])),
        "kernel_size": draw(SIZES),
        **draw(
            some(
                stride=SIZES,
                padding=spread(2, st.integers(0, 2)),
                dilation=SIZES,
                groups=st.integers(1, 2),
                bias=st.booleans(),
            )
        ),
    }
    groups = draw(st.integers(1, 3))
    input = [draw(st.integers(1, 2)), groups * 2, *draw(st.tuples(*[_EXTENT] * 2))]
    rows, columns = _pair(arguments["kernel_size"])
    taps = groups * rows * columns
    sizes = [
        max(1, (size + 2 * p - d * (k - 1) - 1) // s + 1)
        for size, k, s, p, d in zip(
            input[2:],
            (rows, columns),
            _pair(arguments.get("stride", 1)),
            _pair(arguments.get("padding", 0)),
            _pair(arguments.get("dilation", 1)),
            strict=True,
        )
    ]
    offset, mask = ([input[0], n * taps, *sizes] for n in (2, 1))
    for shape in (input, offset, mask):
        place = draw(st.integers(0, 3))
        shape[place] += draw(SELDOM)
    given = type_of(*mask) if draw(st.booleans()) else None
    return arguments, {
        "input": type_of(*input),
        "offset": type_of(*offset),
        "mask": given,
    }


_EXTENT = st.integers(1, 7)


def _pair(value: Any) -> tuple[int, int]:
    """Two sizes, also of a list that is too long."""
    return tuple(value[:2]) if isinstance(value, list) else (value, value)


@each("deform_conv2d")
@given(layers())
def test_deform_conv2d(
    op: str, drawn: tuple[dict[str, Any], dict[str, TensorType | None]]
) -> None:
    arguments, inputs = drawn
    check(op, arguments, inputs, reference=_as_torchvision(arguments), device="cpu")


def test_code_reads_as_written_by_hand() -> None:
    arguments = {
        "out_channels": 8,
        "kernel_size": 3,
        "padding": 1,
        "groups": 2,
        "bias": False,
    }
    inputs = {"input": type_of(2, 4, 8, 8), "offset": type_of(2, 36, 8, 8)}
    found = check("deform_conv2d", arguments, inputs, device="cpu")
    assert one_line(found.construct) == (
        "DeformConv2d(4, 8, kernel_size=3, padding=1, groups=2, bias=False)"
    )
    assert found.forward == ["return self.layer(input, offset)"]
    inputs["mask"] = type_of(2, 18, 8, 8)
    found = check("deform_conv2d", arguments, inputs, device="cpu")
    assert found.forward == ["return self.layer(input, offset, mask)"]
    text = label("deform_conv2d", arguments, **inputs)
    assert text == "3×3, 4 → 8, groups 2"


def test_the_mask_may_be_none_when_the_code_runs() -> None:
    inputs = {
        "input": type_of(2, 4, 8, 8),
        "offset": type_of(2, 18, 6, 6),
        "mask": type_of(2, 9, 6, 6),
    }
    found = check(
        "deform_conv2d",
        {"out_channels": 2, "kernel_size": 3},
        inputs,
        optional=frozenset({"mask"}),
        device="cpu",
    )
    assert found.forward == ["return self.layer(input, offset, mask)"]


def test_symbols() -> None:
    given = {
        "out_channels": "4 * width",
        "kernel_size": "2 * pad + 1",
        "padding": "pad",
        "stride": 2,
    }
    inputs = {
        "input": tensor("float[B, 4, H, W]"),
        "offset": tensor("float[B, 36, (H + 1) // 2, (W + 1) // 2]"),
    }
    hints = {"pad": Dim.of(1), "width": Dim.of(16)}
    (output,) = infer("deform_conv2d", given, inputs, hints)
    assert str(output) == "float[B, 4 * width, (H + 1) // 2, (W + 1) // 2]"


IMAGE, OFFSET = "float[B, 4, H, W]", "float[B, 18, H, W]"


@pytest.mark.parametrize(
    ("inputs", "port", "message"),
    [
        ((IMAGE, "float[B, 27, H, W]"), "offset", "multiple of 2 * the kernel's size"),
        ((IMAGE, "float[B, 54, H, W]"), "offset", "the number of offset groups"),
        ((IMAGE, "float[B, 18, H]"), "offset", "needs 4 dimensions"),
        ((IMAGE, "float[A, 18, H, W]"), "offset", "offset of shape float[B, 18, H, W]"),
        ((IMAGE, "float[B, 18, H, H]"), "offset", "offset of shape float[B, 18, H, W]"),
        ((IMAGE, OFFSET, OFFSET), "mask", "mask of shape float[B, 9, H, W]"),
        ((IMAGE, OFFSET, "float[9, H, W]"), "mask", "needs 4 dimensions"),
        (("float[4, H, W]", OFFSET), "input", "needs 4 dimensions"),
    ],
)
def test_inputs_that_are_refused(
    inputs: tuple[str, ...], port: str, message: str
) -> None:
    given = {"out_channels": 2, "kernel_size": 3, "padding": 1}
    names = ("input", "offset", "mask")
    types = dict(zip(names, map(tensor, inputs), strict=False))
    with pytest.raises(OpError) as caught:
        infer("deform_conv2d", given, types)
    assert caught.value.port == port
    assert message in caught.value.worded(port)


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [({"groups": 3}, "groups"), ({"stride": [1, 1, 1]}, "stride")],
)
def test_arguments_that_are_refused(arguments: dict[str, Any], argument: str) -> None:
    given = {"out_channels": 2, "kernel_size": 3, "padding": 1, **arguments}
    types = {"input": tensor(IMAGE), "offset": tensor(OFFSET)}
    with pytest.raises(OpError) as caught:
        infer("deform_conv2d", given, types)
    assert caught.value.argument == argument
