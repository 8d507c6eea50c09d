"""Stochastic depth: what it drops, and how often."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.library.stochastic_depth import StochasticDepth
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import label, some, types
from tests.ops.harness import check, run, tensor

PROBABILITIES = st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1.0)
MODES = st.sampled_from(["row", "batch"])


@each("stochastic_depth")
@given(types(1, 4), PROBABILITIES, some(mode=MODES))
def test_rule(op: str, input: TensorType, p: float, mode: dict[str, str]) -> None:
    assert check(op, {"p": p, **mode}, {"input": input}).outputs == (input,)


@pytest.mark.parametrize("mode", ["row", "batch"])
def test_drops_samples_and_scales_the_others(mode: str) -> None:
    torch.manual_seed(0)
    found = run(
        "stochastic_depth", {"p": 0.75, "mode": mode}, {"input": torch.ones(4000, 2)}
    )
    assert set(found.unique().tolist()) <= {0.0, 4.0}
    assert torch.equal(found[:, 0], found[:, 1])
    if mode == "row":
        assert found.mean().item() == pytest.approx(1.0, abs=0.2)
    else:
        assert len(found.unique()) == 1


def test_gives_zeros_at_one_and_its_input_at_zero_and_in_evaluation() -> None:
    x = torch.randn(3, 4)
    assert not StochasticDepth(1.0)(x).any()
    assert StochasticDepth(0.0)(x) is x
    assert StochasticDepth(0.5).eval()(x) is x


def test_code_and_label() -> None:
    inputs = {"input": tensor("float[2, 3]")}
    found = check("stochastic_depth", {"p": 0.1, "mode": "batch"}, inputs)
    assert found.construct == 'StochasticDepth(0.1, mode="batch")'
    assert label("stochastic_depth", {"p": 0.1}, **inputs) == "p 0.1"
    assert repr(StochasticDepth(0.1)) == "StochasticDepth(0.1, mode='row')"
