"""Dropout, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from tests.ops.coverage import each
from tests.ops.draws import label, of_rank, some, type_of
from tests.ops.harness import check, infer, run

OPS = (
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "alpha_dropout",
    "feature_alpha_dropout",
)
RANKS = {"dropout1d": (2, 3), "dropout2d": (4,), "dropout3d": (5,)}
# Of these torch only warns, and takes one dimension for another.
REFUSED = {"dropout2d": (0, 1, 2, 3, 5), "dropout3d": (0, 1, 2, 3)}


@each(*OPS)
@given(data=st.data(), arguments=some(p=st.floats(0.1, 0.9)))
def test_dropout(op: str, data: st.DataObject, arguments: dict[str, Any]) -> None:
    input = data.draw(of_rank(RANKS.get(op, range(6))))
    if input.rank in REFUSED.get(op, ()):
        with pytest.raises(OpError, match="needs"):
            infer(op, arguments, {"input": input})
    else:
        check(op, arguments, {"input": input})


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_probability(p: float) -> None:
    found = check("dropout", {"p": p}, {"input": type_of(2)})
    assert found.refusal is not None and found.refusal.code == "bad-value"


def test_code_acts_in_training() -> None:
    assert check("dropout", {"p": 0.1}, {"input": type_of(2)}).construct == (
        "nn.Dropout(0.1)"
    )
    assert run("dropout", {"p": 1.0}, {"input": torch.ones(3)}).sum() == 0


def test_label() -> None:
    assert label("dropout", {"p": 0.1}, input=type_of(2)) == "p 0.1"
