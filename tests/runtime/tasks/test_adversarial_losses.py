"""Losses of networks that are trained against one another, and penalties on gradients."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional as F

from runtime.tasks.adversarial import (
    AdversarialLearner,
    discriminator_loss,
    generator_loss,
)
from tests.runtime.tasks.adversaries import NO_LABELS, adversary, batch

REAL, FAKE = torch.tensor([2.0, -0.5, 0.3]), torch.tensor([-3.0, 0.7, 0.1])


def gradients(learner: AdversarialLearner, images: Tensor) -> Tensor:
    """The score's gradient at each image, one by one, by formula: the network is W2 softplus(W1 x + b)."""
    net = learner.networks["discriminator"]
    first, second = net.get_submodule("hidden"), net.get_submodule("score")
    assert isinstance(first, nn.Linear) and isinstance(second, nn.Linear)
    slopes = torch.sigmoid(first(images.flatten(1)))
    return (slopes * second.weight) @ first.weight


def test_non_saturating_losses_are_binary_cross_entropies() -> None:
    ones, zeros = torch.ones(3), torch.zeros(3)
    cross = F.binary_cross_entropy_with_logits
    expected = cross(REAL, ones, reduction="sum") + cross(FAKE, zeros, reduction="sum")
    torch.testing.assert_close(
        discriminator_loss("non_saturating", REAL, FAKE), expected
    )
    expected = cross(FAKE, ones, reduction="sum")
    torch.testing.assert_close(generator_loss("non_saturating", FAKE), expected)


def test_hinge_losses_by_hand() -> None:
    found = float(discriminator_loss("hinge", REAL, FAKE))
    assert found == pytest.approx((0 + 1.5 + 0.7) + (0 + 1.7 + 1.1))
    assert float(generator_loss("hinge", FAKE)) == pytest.approx(3.0 - 0.7 - 0.1)


def test_wasserstein_losses_by_hand() -> None:
    found = float(discriminator_loss("wasserstein", REAL, FAKE))
    assert found == pytest.approx(-2.2 - 1.8)
    assert float(generator_loss("wasserstein", FAKE)) == pytest.approx(2.2)


def test_the_wasserstein_penalty_is_of_norms_between_real_and_fake(
    tmp_path: Path,
) -> None:
    learner = adversary(tmp_path, "loss: wasserstein\ngradient_penalty: 10")
    real, fake = batch()["image"], torch.rand(8, 1, 2, 2)
    torch.manual_seed(5)
    found = learner.gradient_penalty(real, fake, NO_LABELS)
    torch.manual_seed(5)
    share = torch.rand(8, 1, 1, 1)
    norms = gradients(learner, share * real + (1 - share) * fake).norm(dim=1)
    torch.testing.assert_close(found, ((norms - 1) ** 2).sum())


@pytest.mark.parametrize("loss", ["non_saturating", "hinge"])
def test_the_other_penalty_is_of_squares_at_real_images(
    tmp_path: Path, loss: str
) -> None:
    learner = adversary(tmp_path, f"loss: {loss}\ngradient_penalty: 1")
    real = batch()["image"]
    expected = gradients(learner, real).square().sum() / 2
    torch.testing.assert_close(
        learner.gradient_penalty(real, real, NO_LABELS), expected
    )


@pytest.mark.parametrize("loss", ["wasserstein", "hinge"])
def test_the_penalty_weighs_and_learns_through_wrapped_networks(
    tmp_path: Path, loss: str
) -> None:
    plain = adversary(tmp_path, f"loss: {loss}")
    learner = adversary(tmp_path, f"loss: {loss}\ngradient_penalty: 4")
    torch.manual_seed(5)
    without = plain.loss("discriminator", batch(), 0.0)
    fabric = Fabric(accelerator="cpu", devices=1)
    learner.networks = {k: fabric.setup_module(v) for k, v in learner.networks.items()}
    torch.manual_seed(5)
    loss_with = learner.loss("discriminator", batch(), 0.0)
    fake = learner.generate_images(8)[0].detach()
    assert loss_with > without
    penalty = learner.gradient_penalty(batch()["image"], fake, NO_LABELS)
    fabric.backward(penalty)
    net = learner.networks["discriminator"].module
    assert net.score.weight.grad.abs().sum() > 0
