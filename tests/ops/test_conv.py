"""Convolutions and their transposes, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.binding import BindingError
from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import images, label, one_line, some, spread, type_of
from tests.ops.harness import check, infer, tensor

Drawn = tuple[TensorType, dict[str, Any]]
CHANNELS = st.sampled_from((1, 2, 4, 6, 6, 12))


@st.composite
def convs(draw: st.DrawFn, op: str) -> Drawn:
    n, transposed = int(op[-2]), "transpose" in op
    counts = spread(n, st.integers(0, 2))
    settings = {
        "stride": spread(n, st.integers(1, 3)),
        "dilation": spread(n, st.integers(1, 3)),
        "groups": st.integers(1, 3),
        "bias": st.booleans(),
        "padding": counts
        if transposed
        else counts | st.sampled_from(("same", "valid")),
    }
    if transposed:
        settings["output_padding"] = counts
    else:
        modes = ("zeros", "reflect", "replicate", "circular")
        settings["padding_mode"] = st.sampled_from(modes)
    arguments = draw(some(**settings))
    arguments["out_channels"] = draw(CHANNELS)
    arguments["kernel_size"] = draw(spread(n, st.integers(1, 4)))
    padding = arguments.get("padding")
    if isinstance(padding, list) and len(padding) > n:
        # In another mode, torch pads the channels by the number that is too much.
        arguments.pop("padding_mode", None)
    return draw(images(n, CHANNELS, most=7)), arguments


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@each("conv1d", "conv2d", "conv3d")
@given(st.data())
def test_conv(op: str, data: st.DataObject) -> None:
    input, arguments = data.draw(convs(op))
    check(op, arguments, {"input": input}, device="cpu")


@each("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
@given(st.data())
def test_conv_transpose(op: str, data: st.DataObject) -> None:
    input, arguments = data.draw(convs(op))
    try:
        infer(op, arguments, {"input": input})
    except (OpError, BindingError) as refusal:
        # By some of its kernels torch gives empty outputs, by others it refuses them.
        if "the output's size is 0" in str(refusal):
            return
    check(op, arguments, {"input": input}, device="cpu")


@pytest.mark.parametrize("op", ["conv2d", "conv_transpose2d"])
@pytest.mark.parametrize("rank", [1, 2, 5])
def test_wrong_rank(op: str, rank: int) -> None:
    arguments = {"out_channels": 2, "kernel_size": 1}
    found = check(op, arguments, {"input": type_of(*[2] * rank)}, device="cpu")
    assert found.refusal is not None and found.refusal.code == "rank-mismatch"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"kernel_size": 7, "stride": 2, "padding": 3}, "(H + 1) // 2, (W + 1) // 2"),
        ({"kernel_size": 3, "padding": 1}, "H, W"),
        ({"kernel_size": 3, "padding": "same", "dilation": 5}, "H, W"),
        (
            {"kernel_size": [1, 3], "padding": [0, 1], "stride": [1, 2]},
            "H, (W + 1) // 2",
        ),
        ({"kernel_size": "2 * pad + 1", "padding": "pad"}, "H, W"),
    ],
)
def test_symbolic_sizes(arguments: dict[str, Any], expected: str) -> None:
    given = {"out_channels": "4 * width", **arguments}
    hints = {"pad": Dim.of(2), "width": Dim.of(16)}
    (output,) = infer("conv2d", given, {"input": tensor("float[B, 3, H, W]")}, hints)
    assert str(output) == f"float[B, 4 * width, {expected}]"


def test_transposed_symbolic_sizes() -> None:
    arguments = {"out_channels": 8, "kernel_size": 4, "stride": 2, "padding": 1}
    inputs = {"input": tensor("float[B, C, H, W]")}
    (output,) = infer("conv_transpose2d", arguments, inputs)
    assert str(output) == "float[B, 8, 2 * H, 2 * W]"


def test_kernel_may_not_fit() -> None:
    arguments = {"out_channels": 8, "kernel_size": 5}
    inputs = {"input": tensor("float[B, 3, T]")}
    with pytest.raises(OpError, match="the padded input is T") as caught:
        infer("conv1d", arguments, inputs)
    assert caught.value.port == "input" and "T >= 5" in caught.value.conditions.help
    (output,) = infer(
        "conv1d", arguments, inputs, domain=Domain(of_networks({"T": Constraint(5)}))
    )
    assert str(output) == "float[B, 8, T - 4]"


def test_reflection_may_not_fit() -> None:
    arguments = {
        "out_channels": 8,
        "kernel_size": 3,
        "padding": 1,
        "padding_mode": "reflect",
    }
    inputs = {"input": tensor("float[B, 3, T]")}
    with pytest.raises(OpError, match="an input padded by 1 in reflect mode is T"):
        infer("conv1d", arguments, inputs)


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"groups": 2}, "groups"),
        ({"kernel_size": [3, 3, 3]}, "kernel_size"),
        ({"padding": "same", "stride": 2}, "padding"),
    ],
)
def test_blame(arguments: dict[str, Any], argument: str) -> None:
    given = {"out_channels": 4, "kernel_size": 1, **arguments}
    refusal = check(
        "conv2d", given, {"input": type_of(1, 3, 8, 8)}, device="cpu"
    ).refusal
    assert isinstance(refusal, OpError) and refusal.argument == argument


def test_output_padding_is_below_stride_or_dilation() -> None:
    given = {"out_channels": 4, "kernel_size": 3, "output_padding": 1}
    found = check("conv_transpose1d", given, {"input": type_of(1, 3, 8)}, device="cpu")
    assert isinstance(found.refusal, OpError)
    assert found.refusal.argument == "output_padding"


def test_code() -> None:
    arguments = {
        "out_channels": 64,
        "kernel_size": 3,
        "stride": 2,
        "padding": [1, 0],
        "groups": 2,
        "bias": False,
    }
    found = check("conv2d", arguments, {"input": type_of(2, 6, 8, 8)})
    given = "kernel_size=3, stride=2, padding=(1, 0), groups=2, bias=False"
    assert one_line(found.construct) == f"nn.Conv2d(6, 64, {given})"
    assert found.forward == ["return self.layer(input)"]


def test_label() -> None:
    arguments = {"out_channels": 6, "kernel_size": 3, "stride": [2, 1], "groups": 3}
    text = label("conv2d", arguments, input=type_of(2, 3, 8, 8))
    assert text == "3×3, 3 → 6, stride 2×1, groups 3"
