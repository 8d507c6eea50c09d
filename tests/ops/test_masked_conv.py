"""Convolutions that see a part of their window only."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import images, one_line, some, spread
from tests.ops.harness import check, infer, tensor

SIZES = spread(2, st.integers(1, 3))


@each("masked_conv2d")
@given(
    images(2, st.just(2)),
    st.sampled_from(["A", "B"]),
    SIZES,
    some(
        stride=SIZES,
        padding=spread(2, st.integers(0, 2)),
        dilation=SIZES,
        groups=st.integers(1, 2),
        bias=st.booleans(),
    ),
)
def test_masked_conv2d(
    op: str, input: TensorType, mask: str, kernel: Any, arguments: dict[str, Any]
) -> None:
    given = {"out_channels": 4, "mask_type": mask, "kernel_size": kernel}
    check(op, given | arguments, {"input": input}, device="cpu")


def test_code_reads_as_written_by_hand() -> None:
    arguments = {"out_channels": 8, "kernel_size": 7, "padding": 3, "mask_type": "A"}
    found = check("masked_conv2d", arguments, {"input": tensor("float[2, 1, 8, 8]")})
    assert one_line(found.construct) == (
        'MaskedConv2d(1, 8, kernel_size=7, padding=3, mask_type="A")'
    )
    assert found.forward == ["return self.layer(input)"]


def test_symbols() -> None:
    arguments = {"out_channels": 8, "kernel_size": 3, "padding": 1, "mask_type": "B"}
    inputs = {"input": tensor("float[B, 4, H, W]")}
    assert infer("masked_conv2d", arguments, inputs) == (tensor("float[B, 8, H, W]"),)
