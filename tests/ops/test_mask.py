"""Masks: true takes part."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compiler.op.errors import OpError
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, SELDOM, alike, shapes, type_of, types
from tests.ops.harness import check, infer, run, tensor

VALUES = st.sampled_from([0, 1, -3, 0.5, -math.inf, math.nan, True, False])


@each("causal_mask")
@given(types(kinds=KINDS), st.integers(-4, 4))
def test_causal_mask(op: str, input: TensorType, dim: int) -> None:
    check(op, {"dim": dim}, {"input": input})


@each("padding_mask")
@given(types(kinds=st.just("int")), st.integers(-3, 3))
def test_padding_mask(op: str, input: TensorType, padding: int) -> None:
    check(op, {"padding_idx": padding}, {"input": input})


@each("logical_not")
@given(types(kinds=st.just("bool")) | types(kinds=KINDS))
def test_logical_not(op: str, input: TensorType) -> None:
    check(op, {}, {"input": input}, reference=torch.Tensor.logical_not)


@each("masked_fill")
@given(types(kinds=KINDS), st.data(), VALUES)
def test_masked_fill(
    op: str, input: TensorType, data: st.DataObject, value: float | bool
) -> None:
    mask = type_of(*data.draw(alike([int(str(n)) for n in input.shape])), kind="bool")
    # The meta device does not broadcast the mask.
    check(op, {"value": value}, {"input": input, "mask": mask}, device="cpu")


@st.composite
def leading(draw: st.DrawFn, input: TensorType) -> TensorType:
    """A mask of the input's leading dimensions, at times of another shape."""
    sizes = [int(str(n)) for n in input.shape]
    if draw(SELDOM):
        return type_of(*draw(shapes(most_rank=5)), kind="bool")
    first = sizes[: draw(st.integers(0, len(sizes)))]
    change = st.sampled_from([0, 0, 0, 0, 1, 5])
    return type_of(*[draw(change) or n for n in first], kind="bool")


def masked(input: Tensor, mask: Tensor | None) -> Tensor:
    """torch's `where`, whose mask must not make the input larger."""
    if mask is None:
        return input
    full = mask.expand(input.shape[: mask.dim()])
    return torch.where(full[(..., *[None] * (input.dim() - mask.dim()))], input, 0)


@each("masking")
@given(types() | types(kinds=KINDS), st.data(), st.sampled_from(["", "mask", None]))
def test_masking(
    op: str, input: TensorType, data: st.DataObject, optional: str | None
) -> None:
    mask = None if optional is None else data.draw(leading(input))
    ports = frozenset(filter(None, [optional]))
    inputs = {"input": input, "mask": mask}
    check(op, {}, inputs, optional=ports, reference=masked)


def test_causal_mask_sees_the_past() -> None:
    found = run("causal_mask", {}, {"input": torch.zeros(2, 3)})
    assert found.tolist() == [[True, False, False], [True, True, False], [True] * 3]


def test_padding_mask_is_false_at_padding() -> None:
    found = run(
        "padding_mask", {"padding_idx": 7}, {"input": torch.tensor([[1, 7, 0]])}
    )
    assert found.tolist() == [[True, False, True]]


def test_masked_fill_fills_where_the_mask_is_true() -> None:
    inputs = {"input": torch.ones(2, 2), "mask": torch.tensor([True, False])}
    found = run("masked_fill", {"value": -math.inf}, inputs)
    assert found.tolist() == [[-math.inf, 1], [-math.inf, 1]]


def test_masked_fill_of_symbols() -> None:
    inputs = {"input": tensor("float[B, 1, T]"), "mask": tensor("bool[S, 1]")}
    assert str(infer("masked_fill", {"value": 0}, inputs)[0]) == "float[B, S, T]"
    inputs["mask"] = tensor("bool[S]")
    with pytest.raises(OpError, match="needs shapes that broadcast") as caught:
        infer("masked_fill", {"value": 0}, inputs)
    assert caught.value.port == "mask"


def test_masked_fill_puts_no_infinity_among_integers() -> None:
    inputs = {"input": tensor("int[B]"), "mask": tensor("bool[B]")}
    with pytest.raises(OpError, match="cannot write -inf into an int tensor") as caught:
        infer("masked_fill", {"value": -math.inf}, inputs)
    assert caught.value.argument == "value"


def test_masking_leaves_nothing_where_the_mask_is_false() -> None:
    """Not even what a product with 0 would leave, in the value or in the gradient."""
    given = [[math.nan, math.inf], [2.0, math.nan], [3.0, 4.0]]
    x = torch.tensor([given], requires_grad=True)
    mask = torch.tensor([[False, True, True]])
    found = run("masking", {}, {"input": x, "mask": mask})
    expected = torch.tensor([[[0.0, 0.0], [2.0, math.nan], [3.0, 4.0]]])
    torch.testing.assert_close(found, expected, equal_nan=True)
    found.sqrt().nansum().backward()
    assert x.grad is not None
    assert x.grad[0, 0].tolist() == [0, 0]


def test_masking_of_symbols() -> None:
    inputs = {"input": tensor("float[B, T, D]"), "mask": tensor("bool[1, T]")}
    assert str(infer("masking", {}, inputs)[0]) == "float[B, T, D]"
    assert str(infer("masking", {}, {"input": inputs["input"]})[0]) == "float[B, T, D]"
    for wrong, message in [
        ("bool[B, S]", "a mask that broadcasts to the input's leading dimensions"),
        ("bool[T]", "a mask that broadcasts to the input's leading dimensions"),
        ("bool[B, T, D, 1]", "at most 3 dimensions to match the input"),
    ]:
        with pytest.raises(OpError, match=message) as caught:
            infer("masking", {}, inputs | {"mask": tensor(wrong)})
        assert caught.value.port == "mask"


def test_code_of_masking() -> None:
    inputs = {"input": tensor("float[2, 3]"), "mask": tensor("bool[2, 3]")}
    found = check("masking", {}, inputs)
    assert found.forward == ["return torch.where(mask, input, 0)"]
    inputs["input"] = tensor("float[2, 3, 4, 5]")
    found = check("masking", {}, inputs, optional=frozenset(["mask"]))
    filled = "torch.where(mask[..., None, None], input, 0)"
    assert found.forward == [f"return input if mask is None else {filled}"]
    found = check("masking", {}, {"input": inputs["input"]})
    assert found.forward == ["return input"]


def test_code() -> None:
    found = check("causal_mask", {}, {"input": tensor("int[2, 3]")})
    assert found.construct == ""
    ones = "input.new_ones(input.shape[1], input.shape[1], dtype=torch.bool)"
    assert found.forward == [f"return {ones}.tril()"]
    found = check("padding_mask", {"padding_idx": 0}, {"input": tensor("int[2, 3]")})
    assert found.forward == ["return input != 0"]
    mask = tensor("bool[2, 3]")
    assert check("logical_not", {}, {"input": mask}).forward == ["return ~input"]
    inputs = {"input": tensor("float[2, 3]"), "mask": mask}
    found = check("masked_fill", {"value": -math.inf}, inputs)
    assert found.forward == ['return input.masked_fill(mask, float("-inf"))']


def test_symbols() -> None:
    tokens = {"input": tensor("int[B, T]")}
    assert str(infer("causal_mask", {}, tokens)[0]) == "bool[T, T]"
    assert str(infer("padding_mask", {"padding_idx": 0}, tokens)[0]) == "bool[B, T]"
