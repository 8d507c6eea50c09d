"""What an op reads along T lies in the reach that its rule says."""

from __future__ import annotations

import pytest

from compiler.op.registry import ops
from tests.fuzz.causal_ops import mistakes

FEW = ("slice", "cumsum", "lstm", "attention", "max_pool1d", "index", "softmax2d")


@pytest.mark.parametrize("op", FEW)
def test_nothing_moves_outside_of_the_reach(op: str) -> None:
    assert list(mistakes(op)) == []


@pytest.mark.deep
@pytest.mark.parametrize("op", sorted(set(ops()) - set(FEW)))
def test_nothing_moves_outside_of_the_reach_of_any_op(op: str) -> None:
    assert list(mistakes(op)) == []
