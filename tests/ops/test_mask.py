"""Masks: true takes part."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.tensor import Kind
from tests.ops.draws import KINDS, type_of
from tests.ops.harness import check, infer, run, tensor

SHAPES = st.lists(st.integers(1, 5), max_size=3)


@given(KINDS, SHAPES, st.integers(-4, 4))
def test_causal_mask(kind: Kind, shape: list[int], dim: int) -> None:
    check("causal_mask", {"dim": dim}, {"input": type_of(*shape, kind=kind)})


@given(SHAPES, st.integers(-3, 3))
def test_padding_mask(shape: list[int], padding: int) -> None:
    check(
        "padding_mask", {"padding_idx": padding}, {"input": type_of(*shape, kind="int")}
    )


def test_causal_mask_sees_the_past() -> None:
    found = run("causal_mask", {}, {"input": torch.zeros(2, 3)})
    assert found.tolist() == [[True, False, False], [True, True, False], [True] * 3]


def test_padding_mask_is_false_at_padding() -> None:
    found = run(
        "padding_mask", {"padding_idx": 7}, {"input": torch.tensor([[1, 7, 0]])}
    )
    assert found.tolist() == [[True, False, True]]


def test_code() -> None:
    found = check("causal_mask", {}, {"input": tensor("int[2, 3]")})
    assert found.construct == ""
    ones = "input.new_ones(input.shape[1], input.shape[1], dtype=torch.bool)"
    assert found.forward == [f"return {ones}.tril()"]
    found = check("padding_mask", {"padding_idx": 0}, {"input": tensor("int[2, 3]")})
    assert found.forward == ["return input != 0"]


def test_symbols() -> None:
    tokens = {"input": tensor("int[B, T]")}
    assert str(infer("causal_mask", {}, tokens)[0]) == "bool[T, T]"
    assert str(infer("padding_mask", {"padding_idx": 0}, tokens)[0]) == "bool[B, T]"
