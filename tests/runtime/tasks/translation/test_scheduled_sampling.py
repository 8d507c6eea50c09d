"""Training on the network's own predictions."""

import pytest
import torch
from torch import Tensor

from runtime.data.tokenizer import BOS, PAD
from tests.runtime.tasks.translation.learning import Make, evaluated, every, fit


def test_scheduled_sampling_replaces_tokens_by_predictions(make: Make) -> None:
    learner, data = make("scheduled_sampling: 0.5")
    learner.network.eval()
    batch = every(data)
    source, given = batch["source"], batch["target"][:, :-1]
    predicted = learner.network(source, given).argmax(-1)
    assert learner.scheduled_sampling(source, given, 0.0) is given
    mixed = learner.scheduled_sampling(source, given, 1.0)
    fixed = (given == PAD) | (given == BOS)
    assert (mixed[fixed] == given[fixed]).all()
    before = torch.cat([given[:, :1], predicted[:, :-1]], 1)
    assert (mixed[~fixed] == before[~fixed]).all()


def test_scheduled_sampling_rises_linearly(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, data = make("scheduled_sampling: 0.5")
    probabilities: list[float] = []

    def mixed(source: Tensor, given: Tensor, probability: float) -> Tensor:
        probabilities.append(probability)
        return given

    monkeypatch.setattr(learner, "scheduled_sampling", mixed)
    for progress in (0.0, 0.5, 1.0):
        learner.loss("", every(data), progress)
    assert probabilities == [0, 0.25, 0.5]


def test_the_fraction_of_replaced_tokens_is_the_probability(make: Make) -> None:
    learner, _ = make()
    learner.network.eval()
    source = torch.full((200, 2), 5)
    given = torch.full((200, 50), 39)
    given[:, 0] = BOS
    predicted = learner.network(source, given).argmax(-1)
    assert (predicted != 39).all()
    changed = learner.scheduled_sampling(source, given, 0.3)[:, 1:] != 39
    assert float(changed.float().mean()) == pytest.approx(0.3, abs=0.02)


def test_training_with_scheduled_sampling_converges(make: Make) -> None:
    learner, data = make("scheduled_sampling: 0.3")
    fit(learner, data, 110)
    assert evaluated(learner, data)["exact"] == 1
