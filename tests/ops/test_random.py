from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, alike, one_line, shapes, type_of, types
from tests.ops.harness import check, layer, run, tensor


@each("randn_like", "rand_like", "bernoulli")
@given(types() | types(kinds=KINDS))
def test_random(op: str, input: TensorType) -> None:
    check(op, {}, {"input": input})


@each("reparameterize")
@given(st.data(), shapes())
def test_reparameterize(op: str, data: st.DataObject, shape: list[int]) -> None:
    other = shape if data.draw(st.booleans()) else data.draw(alike(shape))
    inputs = {"mean": type_of(*shape), "log_variance": type_of(*other)}
    check(op, {}, inputs, reference=_of_one_shape)


def _of_one_shape(mean: Tensor, log_variance: Tensor) -> Tensor:
    assert mean.shape == log_variance.shape
    return mean + log_variance


def test_code_of_reparameterize() -> None:
    x = tensor("float[2]")
    found = check("reparameterize", {}, {"mean": x, "log_variance": x})
    assert one_line(found.forward) == (
        "deviation_0 = torch.exp(0.5 * log_variance) return (mean + deviation_0 * "
        "torch.randn_like(deviation_0) if self.training else mean)"
    )


def test_reparameterize_draws_in_training_alone() -> None:
    x = tensor("float[1000]")
    draw = layer("reparameterize", {}, {"mean": x, "log_variance": x})
    mean, log_variance = torch.full((1000,), 3.0), torch.full((1000,), -2.0)
    drawn = draw(mean, log_variance)
    assert abs(drawn.mean() - 3) < 0.1
    assert abs(drawn.std() - torch.exp(torch.tensor(-1.0))) < 0.1
    assert torch.equal(draw.eval()(mean, log_variance), mean)


def test_code_reads_as_written_by_hand() -> None:
    found = check("randn_like", {}, {"input": tensor("float[2]")})
    assert found.forward == ["return torch.randn_like(input)"]


def test_values() -> None:
    x = torch.full((1000,), 0.25)
    noise = run("randn_like", {}, {"input": x})
    assert abs(noise.mean()) < 0.2 and 0.8 < noise.std() < 1.2
    uniform = run("rand_like", {}, {"input": x})
    assert 0 <= uniform.min() < 0.1 and 0.9 < uniform.max() < 1
    coins = run("bernoulli", {}, {"input": x})
    assert set(coins.tolist()) == {0.0, 1.0} and 150 < coins.sum() < 350
