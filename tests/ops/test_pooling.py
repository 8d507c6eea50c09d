"""Pooling, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import images, label, some, spread, type_of
from tests.ops.harness import check, infer, tensor

Drawn = tuple[TensorType, dict[str, Any]]


@st.composite
def pools(draw: st.DrawFn, op: str) -> Drawn:
    n = int(op[-2])
    settings: dict[str, st.SearchStrategy[Any]] = {
        "stride": spread(n, st.integers(1, 5)),
        "padding": spread(n, st.integers(0, 1) | st.integers(0, 2)),
        "ceil_mode": st.booleans(),
    }
    if op.startswith("max"):
        settings["dilation"] = spread(n, st.integers(1, 3))
        settings["return_indices"] = st.booleans()
    else:
        settings["count_include_pad"] = st.booleans()
        if n > 1:
            settings["divisor_override"] = st.integers(1, 3)
    arguments = draw(some(**settings))
    arguments["kernel_size"] = draw(spread(n, st.integers(1, 4)))
    return draw(images(n, st.integers(1, 3), most=9)), arguments


@each(*(f"{kind}_pool{n}d" for kind in ("avg", "max") for n in (1, 2, 3)))
@given(st.data())
def test_pool(op: str, data: st.DataObject) -> None:
    input, arguments = data.draw(pools(op))
    check(op, arguments, {"input": input}, device="cpu")


@each(*(f"adaptive_{kind}_pool{n}d" for kind in ("avg", "max") for n in (1, 2, 3)))
@given(st.data())
def test_adaptive_pool(op: str, data: st.DataObject) -> None:
    n = int(op[-2])
    input = data.draw(images(n, st.integers(1, 3), most=5))
    arguments = {"output_size": data.draw(spread(n, st.integers(1, 6)))}
    if "max" in op:
        arguments |= data.draw(some(return_indices=st.booleans()))
    check(op, arguments, {"input": input}, device="cpu")


@given(
    size=st.integers(4, 30),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 6),
    data=st.data(),
)
def test_ceil_mode_of_a_symbol(
    size: int, kernel: int, stride: int, data: st.DataObject
) -> None:
    """The formula of ceil_mode gives torch's size for every value of the symbol."""
    arguments = {
        "kernel_size": kernel,
        "stride": stride,
        "padding": data.draw(st.integers(0, kernel // 2)),
        "ceil_mode": True,
    }
    inputs = {"input": tensor("float[1, L]")}
    domain = Domain(of_networks({"L": Constraint(4)}))
    found = check("max_pool1d", arguments, inputs, dims={"L": size}, domain=domain)
    assert found.refusal is None


@pytest.mark.parametrize("op", ["max_pool2d", "avg_pool2d", "adaptive_avg_pool2d"])
@pytest.mark.parametrize("rank", [1, 2, 5])
def test_wrong_rank(op: str, rank: int) -> None:
    arguments = {"output_size": 2} if "adaptive" in op else {"kernel_size": 1}
    found = check(op, arguments, {"input": type_of(*[2] * rank)}, device="cpu")
    assert found.refusal is not None and found.refusal.code == "rank-mismatch"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"kernel_size": 3, "stride": 2, "padding": 1}, "(H + 1) // 2"),
        ({"kernel_size": 2}, "H // 2"),
        ({"kernel_size": 2, "ceil_mode": True}, "(H + 1) // 2"),
        ({"kernel_size": 3, "stride": 2, "ceil_mode": True}, "H // 2"),
        ({"kernel_size": "k"}, "H // k"),
    ],
)
def test_symbolic_sizes(arguments: dict[str, Any], expected: str) -> None:
    inputs = {"input": tensor("float[B, C, H]")}
    domain = Domain(of_networks({"H": Constraint(8)}))
    (output,) = infer("max_pool1d", arguments, inputs, {"k": Dim.of(2)}, domain)
    assert str(output) == f"float[B, C, {expected}]"


def test_window_may_not_fit() -> None:
    with pytest.raises(OpError, match="the padded input is H") as caught:
        infer("max_pool2d", {"kernel_size": 2}, {"input": tensor("float[B, C, H, H]")})
    assert "H >= 2" in caught.value.conditions.help


def test_padding_is_half_the_kernel_at_most() -> None:
    arguments = {"kernel_size": 3, "padding": 2}
    found = check("avg_pool2d", arguments, {"input": type_of(1, 8, 8)}, device="cpu")
    assert isinstance(found.refusal, OpError) and found.refusal.argument == "padding"


def test_adaptive_to_the_size_of_an_input() -> None:
    inputs = {"input": tensor("float[B, C, X, Y]")}
    arguments = {"output_size": ["H", 7]}
    (output,) = infer("adaptive_avg_pool2d", arguments, inputs)
    assert str(output) == "float[B, C, H, 7]"
    with pytest.raises(OpError, match="output_size is H - 1"):
        infer("adaptive_avg_pool2d", {"output_size": ["H - 1", 7]}, inputs)


def test_code() -> None:
    input = type_of(1, 8, 8)
    found = check("max_pool2d", {"kernel_size": 3, "stride": 2}, {"input": input})
    assert found.construct == ""
    assert found.forward == ["return F.max_pool2d(input, kernel_size=3, stride=2)"]
    arguments = {"kernel_size": 2, "return_indices": True}
    found = check("max_pool2d", arguments, {"input": input})
    assert found.forward[0] == (
        "output_0, output_1 = F.max_pool2d(input, kernel_size=2, return_indices=True)"
    )
    found = check("adaptive_avg_pool2d", {"output_size": 1}, {"input": input})
    assert found.forward == ["return F.adaptive_avg_pool2d(input, 1)"]


def test_label() -> None:
    input = type_of(1, 8, 8)
    assert label("max_pool2d", {"kernel_size": 3}, input=input) == "3×3, stride 3"
    assert label("adaptive_max_pool2d", {"output_size": 1}, input=input) == "to 1×1"
