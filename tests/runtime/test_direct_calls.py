"""`direct_calls` changes the time of a network's layers, and nothing else."""

from __future__ import annotations

import contextlib

import pytest
import torch
from torch import Tensor, nn

from runtime.decode import Sampling, Stepper, sample
from runtime.direct_calls import direct_calls


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 8)
        self.rest = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.BatchNorm1d(8))
        self.rnn = nn.GRU(8, 9, batch_first=True)
        self.register_buffer("scale", torch.tensor(2.0))

    def forward(self, tokens: Tensor) -> Tensor:
        rest = self.rest(self.embed(tokens).flatten(0, 1)).unflatten(0, tokens.shape)
        found: Tensor = self.rnn(rest)[0] * self.scale
        return found


def _attributes(network: nn.Module) -> list[list[str]]:
    return [list(vars(module)) for module in network.modules()]


@pytest.fixture
def network() -> Net:
    torch.manual_seed(0)
    return Net().eval()


TOKENS = torch.tensor([[1, 2, 3], [4, 5, 6]])


def test_the_same_is_computed(network: Net) -> None:
    before, attributes = network(TOKENS), _attributes(network)
    state = list(network.state_dict())
    with direct_calls(network):
        assert network(TOKENS).equal(before)
        assert list(network.state_dict()) == state
        with direct_calls(network):
            assert network(TOKENS).equal(before)
        assert network(TOKENS).equal(before)
    assert _attributes(network) == attributes
    assert network(TOKENS).equal(before)


def test_nothing_is_left_after_an_error(network: Net) -> None:
    attributes = _attributes(network)
    with contextlib.suppress(ValueError), direct_calls(network):
        raise ValueError
    assert _attributes(network) == attributes


def test_changed_weights_hold(network: Net) -> None:
    with direct_calls(network):
        network.scale = torch.tensor(0.0)
        network.rest[0].weight = nn.Parameter(torch.zeros(8, 8))
        assert not network(TOKENS).any()
        assert network.rest[0].weight is network.rest[0]._parameters["weight"]
    assert not network(TOKENS).any()


def test_dropout_that_is_on_stays_on(network: Net) -> None:
    with direct_calls(network.train()):
        assert not network.rest[1](torch.ones(100)).all()


def test_hooks_of_layers_run(network: Net) -> None:
    seen = []
    network.rest[1].register_forward_hook(lambda *_: seen.append(1))
    with direct_calls(network):
        network(TOKENS)
    assert seen == [1]


def test_generating_looks_up_buffers_alone(
    network: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    real = nn.Module.__getattr__

    def counted(self: nn.Module, name: str) -> object:
        looked_up.append(name)
        return real(self, name)

    monkeypatch.setattr(nn.Module, "__getattr__", counted)
    stepper = Stepper(lambda tokens, _: network(tokens), None, network)
    with torch.inference_mode():
        sample(stepper, TOKENS, Sampling(4, 0))
    assert set(looked_up) == {"scale", "running_mean", "running_var"}
