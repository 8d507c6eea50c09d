"""Padding and cropping, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from tests.ops.coverage import each
from tests.ops.draws import KINDS, SELDOM, type_of, types
from tests.ops.harness import check, infer, run, tensor


@each("pad")
@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@given(st.data())
def test_pad(op: str, mode: str, data: st.DataObject) -> None:
    rank = data.draw(st.integers(1, 5))
    input = data.draw(types(rank, rank, kinds=KINDS))
    fits = [rank - 2, rank - 1] if mode != "constant" else [0, rank]
    right = st.integers(max(fits[0], 0), fits[1])
    count = data.draw(st.integers(0, 3) if data.draw(SELDOM) else right)
    ends = st.integers(-2 if mode == "constant" else 0, 3)
    if mode == "reflect":  # which pads by less than the size
        ends = st.integers(0, 1) | ends
    odd = data.draw(SELDOM)
    pad = st.lists(ends, min_size=2 * count + odd, max_size=2 * count + odd)
    arguments: dict[str, Any] = {"pad": data.draw(pad), "mode": mode}
    if data.draw(SELDOM):
        arguments["value"] = 1.5
    check(op, arguments, {"input": input}, device="cpu")


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_negative_numbers_are_for_constant_mode(mode: str) -> None:
    """torch takes some of them elsewhere, to no documented effect."""
    with pytest.raises(OpError, match=f"{mode} mode does not accept negative padding"):
        infer("pad", {"pad": [-1, 1], "mode": mode}, {"input": type_of(3, 4)})


@each("crop")
@given(st.data())
def test_crop(op: str, data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    larger = [max(size + data.draw(st.integers(-1, 3)), 1) for size in sizes]
    dims = data.draw(st.lists(st.integers(-3, 2), min_size=1, max_size=3))
    inputs = {"input": type_of(*larger), "like": type_of(*sizes)}
    check(op, {"dims": dims}, inputs, reference=lambda x, y: crop(x, y, dims))


def crop(x: Tensor, like: Tensor, dims: list[int]) -> Tensor:
    """The middle of x, slowly."""
    if len({range(x.dim())[axis] for axis in dims}) < len(dims):
        raise ValueError("a dimension stands twice")
    for axis in dims:
        spare = x.shape[axis] - like.shape[axis]
        if spare < 0:
            raise ValueError("too small")
        index = torch.arange(like.shape[axis], device=x.device) + spare // 2
        x = x.index_select(axis, index)
    return x


def test_crop_keeps_the_middle() -> None:
    x = torch.arange(36.0).view(1, 6, 6)
    found = run("crop", {}, {"input": x, "like": torch.zeros(1, 3, 4)})
    assert torch.equal(found, x[:, 1:4, 1:5])
    sequence = torch.arange(5.0).view(1, 5, 1)
    found = run("crop", {"dims": 1}, {"input": sequence, "like": torch.zeros(1, 3, 1)})
    assert found.flatten().tolist() == [1, 2, 3]


def test_crop_of_symbols() -> None:
    inputs = {
        "input": tensor("float[B, C, H + 4, W]"),
        "like": tensor("float[B, K, H, W]"),
    }
    found = check("crop", {}, inputs, dims={"B": 2, "C": 3, "K": 1, "H": 5, "W": 4})
    assert [str(output) for output in found.outputs] == ["float[B, C, H, W]"]
    assert found.forward == ["return input.narrow(-2, 2, 5)"]


def test_crop_may_be_too_small() -> None:
    inputs = {"input": tensor("float[B, C, H, W]"), "like": tensor("float[B, C, X, W]")}
    with pytest.raises(
        OpError, match="the number of cropped elements is H - X"
    ) as caught:
        infer("crop", {}, inputs)
    assert caught.value.port == "like"


def test_pad_of_symbols() -> None:
    inputs = {"input": tensor("float[B, C, H, W]")}
    (output,) = infer("pad", {"pad": [1, "p", 0, 1]}, inputs, {"p": Dim.of(2)})
    assert str(output) == "float[B, C, H + 1, W + p + 1]"
    arguments = {"pad": [2, 2], "mode": "reflect"}
    with pytest.raises(OpError, match="an input padded by 2 in reflect mode is T") as e:
        infer("pad", arguments, {"input": tensor("float[C, T]")})
    assert "T >= 3" in e.value.conditions.help
    domain = Domain(of_networks({"T": Constraint(3)}))
    (output,) = infer("pad", arguments, {"input": tensor("float[C, T]")}, None, domain)
    assert str(output) == "float[C, T + 4]"


def test_code() -> None:
    arguments = {"pad": [1, 1], "mode": "reflect"}
    found = check("pad", arguments, {"input": type_of(2, 3, 8)})
    assert found.forward == ['return F.pad(input, (1, 1), mode="reflect")']
