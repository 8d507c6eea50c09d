"""Stochastic depth as torchvision has it: from the same seed the same is dropped, forwards and backwards."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torchvision.ops import StochasticDepth as Reference
from torchvision.ops import stochastic_depth

from compiler.library.stochastic_depth import StochasticDepth

SHAPES = [(64,), (64, 3), (64, 3, 5), (64, 2, 3, 4)]
modes = pytest.mark.parametrize("mode", ["row", "batch"])


@modes
@pytest.mark.parametrize("p", [0.0, 0.1, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_equals_torchvision(mode: str, p: float, training: bool) -> None:
    ours = StochasticDepth(p, mode).train(training)
    theirs = Reference(p, mode).train(training)
    for seed, shape in enumerate(SHAPES * 4):
        x, weights = torch.randn(shape), torch.randn(shape)
        found, expected = (_learn(one, x, weights, seed) for one in (ours, theirs))
        torch.testing.assert_close(found, expected, rtol=0, atol=0)


@modes
def test_equals_the_function_of_torchvision(mode: str) -> None:
    x = torch.randn(64, 3)
    torch.manual_seed(1)
    expected = stochastic_depth(x, 0.3, mode)
    torch.manual_seed(1)
    assert torch.equal(StochasticDepth(0.3, mode)(x), expected)


def test_something_is_dropped_and_something_kept() -> None:
    """Otherwise the comparisons above would hold of nothing."""
    found = StochasticDepth(0.5)(torch.ones(64, 3))
    assert set(found.unique().tolist()) == {0.0, 2.0}
    batches = [StochasticDepth(0.5, "batch")(torch.ones(2, 3)) for _ in range(16)]
    assert set(torch.stack(batches).unique().tolist()) == {0.0, 2.0}


def _learn(model: nn.Module, x: Tensor, weights: Tensor, seed: int) -> list[Tensor]:
    """The output, the gradient of the input, and what is drawn next: as many numbers were drawn before."""
    x = x.clone().requires_grad_()
    torch.manual_seed(seed)
    output: Tensor = model(x)
    following = torch.rand(3)
    (output * weights).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    return [output.detach(), x.grad, following]
