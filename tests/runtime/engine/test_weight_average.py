"""The exponential moving average of weights: its value, what is evaluated with it, and what resuming restores."""

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from runtime.engine.callbacks import Callback
from runtime.engine.session import Session
from runtime.engine.trainer_state import TrainerState
from runtime.engine.weight_average import WeightAverage
from tests.runtime.engine.train_specs import CLASSIFICATION, trained


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def test_the_average_follows_the_weights() -> None:
    net = network()
    average, found = WeightAverage({"": net}, 0.9), []
    for step in range(200):
        with torch.no_grad():
            net.get_parameter("0.bias").fill_(float(step))
        average.update("other")
        average.update("")
        found.append(average.averages[""]["0.bias"][0].item())
    assert found[0] == 0
    # decay = min(0.9, (1 + n) / (10 + n)), n the updates before
    assert found[1] == pytest.approx(1 - 2 / 11)
    assert found[-1] == pytest.approx(0.9 * found[-2] + 0.1 * 199)


def test_without_a_decay_there_is_none() -> None:
    average = WeightAverage({"": network()}, 0.0)
    average.update("")
    assert average.averages == {}


def test_the_weights_are_restored_after_use() -> None:
    net = network()
    average = WeightAverage({"": net}, 0.9)
    average.update("")
    mean = copy.deepcopy(average.averages[""])
    assert {"1.running_mean", "1.running_var"} <= mean.keys()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(1)
    before = copy.deepcopy(net.state_dict())
    with average.applied():
        assert all(torch.equal(net.state_dict()[name], mean[name]) for name in mean)
    assert all(torch.equal(one, before[name]) for name, one in net.state_dict().items())
    assert all(torch.equal(average.averages[""][name], mean[name]) for name in mean)


def test_the_state_is_restored_exactly() -> None:
    net, other = network(), network()
    averages = [WeightAverage({"": one}, 0.9) for one in (net, other)]
    for _ in range(3):
        with torch.no_grad():
            net.get_parameter("0.weight").mul_(1.1)
        averages[0].update("")
    averages[1].load_state_dict(copy.deepcopy(averages[0].state_dict()))
    assert averages[1].updates == {"": 3}
    for name, tensor in averages[0].averages[""].items():
        assert torch.equal(tensor, averages[1].averages[""][name])


def test_any_task_evaluates_and_saves_the_average(tmp_path: Path) -> None:
    seen: list[dict[str, torch.Tensor]] = []

    class Copies(Callback):
        def __init__(self, session: Session) -> None:
            self.session = session

        def on_evaluate(self, state: TrainerState, improved: bool) -> None:
            averages = self.session.average.averages[""]
            seen.append({name: one.clone() for name, one in averages.items()})

    state = trained(CLASSIFICATION, tmp_path, "task.average=0.99", make_callback=Copies)
    best = load_file(tmp_path / "weights" / "best.safetensors")
    expected = seen[state.best_epoch - 1]
    assert all(torch.equal(best[name], one) for name, one in expected.items())
    last = load_file(tmp_path / "weights" / "last.safetensors")
    assert any(not torch.equal(last[name], seen[-1][name]) for name in seen[-1])
