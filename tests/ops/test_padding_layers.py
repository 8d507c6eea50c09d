"""Padding at the borders, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.op.registry import ops
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import Kind
from tests.ops.coverage import each
from tests.ops.draws import KINDS, SELDOM, label, type_of, types
from tests.ops.harness import check, infer, tensor

MODES = ("constant", "zero", "reflection", "replication", "circular")
NUMBERS: tuple[Kind, ...] = ("float", "int")


@each(*(f"{mode}_pad{n}d" for mode in MODES for n in (1, 2, 3)))
@given(st.data())
def test_border(op: str, data: st.DataObject) -> None:
    n, crops = int(op[-2]), op.startswith(("constant", "zero"))
    ranks = st.just(n + 1) | st.just(n + 2)
    rank = data.draw(st.integers(1, 5) if data.draw(SELDOM) else ranks)
    kinds = st.sampled_from(NUMBERS) if op.startswith("re") else KINDS
    input = data.draw(types(rank, rank, kinds=kinds))
    ends = st.integers(-2 if crops else 0, 1) | st.integers(0, 3)
    count = 2 * n + data.draw(SELDOM)
    lists = st.lists(ends, min_size=count, max_size=count)
    arguments: dict[str, Any] = {"padding": data.draw(ends | lists)}
    if op.startswith("constant"):
        arguments["value"] = 1.5
    check(op, arguments, {"input": input}, device="cpu")


@pytest.mark.parametrize("mode", ["reflection", "replication", "circular"])
def test_negative_numbers_only_crop_what_is_constant(mode: str) -> None:
    """torch takes some of them elsewhere, to no documented effect."""
    with pytest.raises(OpError, match="does not accept negative padding") as caught:
        infer(f"{mode}_pad1d", {"padding": [-1, 1]}, {"input": type_of(3, 4)})
    assert caught.value.argument == "padding"


def test_symbols() -> None:
    inputs = {"input": tensor("float[B, C, H, W]")}
    (output,) = infer(
        "zero_pad2d", {"padding": [1, "p", 0, 1]}, inputs, {"p": Dim.of(2)}
    )
    assert str(output) == "float[B, C, H + 1, W + p + 1]"
    with pytest.raises(OpError, match="an input padded by 2 in reflect mode is W") as e:
        infer("reflection_pad2d", {"padding": 2}, inputs)
    assert "W >= 3" in e.value.conditions.help
    domain = Domain(of_networks({"H": Constraint(3), "W": Constraint(3)}))
    (output,) = infer("reflection_pad2d", {"padding": 2}, inputs, domain=domain)
    assert str(output) == "float[B, C, H + 4, W + 4]"


@pytest.mark.parametrize(
    ("op", "arguments", "expected"),
    [
        ("zero_pad2d", {"padding": 2}, "nn.ZeroPad2d(2)"),
        ("circular_pad1d", {"padding": [2, 1]}, "nn.CircularPad1d((2, 1))"),
        ("constant_pad1d", {"padding": 1, "value": 0.5}, "nn.ConstantPad1d(1, 0.5)"),
    ],
)
def test_code(op: str, arguments: dict[str, object], expected: str) -> None:
    shape = (2, 3, 8) if op[-2] == "1" else (2, 3, 8, 8)
    found = check(op, arguments, {"input": type_of(*shape)})
    assert found.construct == expected
    assert found.forward == ["return self.layer(input)"]


def test_it_stands_in_the_family_of_pad() -> None:
    assert ops()["zero_pad2d"].family == ops()["pad"].family
    assert label("zero_pad1d", {"padding": [2, 1]}, input=type_of(1, 1)) == "2, 1"
