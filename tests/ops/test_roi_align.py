"""Boxes of images, pooled; what is computed is compared in tests/library."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compiler.op.binding import BindingError
from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from tests.ops.coverage import each
from tests.ops.draws import SELDOM, label, of_rank, some, spread, type_of
from tests.ops.harness import check, infer, tensor


def _pooled(input: Tensor, boxes: Tensor, output_size: Any) -> Tensor:
    """What torchvision accepts, and the shape that it gives."""
    (_, channels, height, width), (count, numbers) = input.shape, boxes.shape
    size = output_size if isinstance(output_size, list) else [output_size] * 2
    rows, columns = size if len(size) > 1 else size * 2
    if numbers != 5 or min(height, width) == 0:
        raise ValueError("boxes have 5 numbers, images are not empty")
    return input.new_empty(count, channels, rows, columns)


@each("roi_align")
@given(
    of_rank([4], st.integers(1, 5)),
    st.integers(0, 4),
    SELDOM,
    spread(2, st.integers(1, 4)),
    st.integers(1, 3),
    some(spatial_scale=st.sampled_from([1.0, 0.25, 2.0]), aligned=st.booleans()),
)
def test_roi_align(
    op: str,
    input: Any,
    count: int,
    odd: bool,
    size: Any,
    ratio: int,
    arguments: dict[str, Any],
) -> None:
    given = {"output_size": size, "sampling_ratio": ratio, **arguments}
    inputs = {"input": input, "boxes": type_of(count, 4 if odd else 5)}
    check(
        op,
        given,
        inputs,
        reference=lambda *tensors: _pooled(*tensors, size),
        device="cpu",
    )


def test_code_reads_as_written_by_hand() -> None:
    inputs = {"input": type_of(2, 3, 8, 8), "boxes": type_of(4, 5)}
    given = {"output_size": 7, "sampling_ratio": 2}
    assert check("roi_align", given, inputs, device="cpu").forward == [
        "return roi_align(input, boxes, 7, 2)"
    ]
    given |= {"output_size": [7, 5], "spatial_scale": 0.25, "aligned": True}
    assert check("roi_align", given, inputs, device="cpu").forward == [
        "return roi_align(input, boxes, (7, 5), 2, spatial_scale=0.25, aligned=True)"
    ]


def test_symbols() -> None:
    inputs = {"input": tensor("float[B, C, H, W]"), "boxes": tensor("float[K, 5]")}
    given = {"output_size": ["2 * s", "s"], "sampling_ratio": "r"}
    hints = {"s": Dim.of(7), "r": Dim.of(2)}
    found = infer("roi_align", given, inputs, hints)
    assert found == (tensor("float[K, C, 2 * s, s]"),)
    text = label("roi_align", {"output_size": [7, 5], "sampling_ratio": 2}, **inputs)
    assert text == "to 7×5"


@pytest.mark.parametrize(
    ("inputs", "port", "message"),
    [
        (("float[B, C, H, W]", "float[K, 4]"), "boxes", "5 numbers"),
        (("float[B, C, H, W]", "float[B, K, 5]"), "boxes", "needs 2 dimensions"),
        (("float[C, H, W]", "float[K, 5]"), "input", "needs 4 dimensions"),
        (("float[B, C, 0, W]", "float[K, 5]"), "input", "must be at least 1"),
    ],
)
def test_inputs_that_are_refused(
    inputs: tuple[str, str], port: str, message: str
) -> None:
    given = {"output_size": 7, "sampling_ratio": 2}
    types = dict(zip(("input", "boxes"), map(tensor, inputs), strict=True))
    with pytest.raises(OpError) as caught:
        infer("roi_align", given, types)
    assert caught.value.port == port
    assert message in caught.value.worded(port)


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"sampling_ratio": -1}, ("sampling_ratio",)),
        ({"sampling_ratio": 0}, ("sampling_ratio",)),
        ({"output_size": 0}, ("output_size", 0)),
        ({"spatial_scale": "wide", "sampling_ratio": 2}, ("spatial_scale",)),
    ],
)
def test_arguments_that_are_refused(
    arguments: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    given = {"output_size": 7, "sampling_ratio": 2, **arguments}
    inputs = {"input": tensor("float[B, C, H, W]"), "boxes": tensor("float[K, 5]")}
    with pytest.raises(BindingError) as caught:
        infer("roi_align", given, inputs)
    assert [error.path for error in caught.value.errors] == [path]


def test_output_size_has_two_numbers_at_most() -> None:
    inputs = {"input": tensor("float[B, C, H, W]"), "boxes": tensor("float[K, 5]")}
    with pytest.raises(OpError, match="needs 1 or 2 values") as caught:
        infer("roi_align", {"output_size": [7, 7, 7], "sampling_ratio": 2}, inputs)
    assert caught.value.argument == "output_size"
