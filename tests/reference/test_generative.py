"""The networks of WGAN-GP, layer by layer in torch alone."""

from __future__ import annotations

import torch
from torch import nn

from runtime.load import build_on_meta
from tests.reference.equality import check_equal, count, generated


class Cut(nn.Module):
    """Without the last row and column."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[..., :-1, :-1]


def generator(latent: int, width: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(latent, 64 * width),
        nn.ReLU(),
        nn.Unflatten(1, (4 * width, 4, 4)),
        nn.ConvTranspose2d(4 * width, 2 * width, 5, 2, 2, 1),
        nn.ReLU(),
        Cut(),
        nn.ConvTranspose2d(2 * width, width, 5, 2, 2, 1),
        nn.ReLU(),
        nn.ConvTranspose2d(width, 1, 5, 2, 2, 1),
        nn.Sigmoid(),
    )


def critic(width: int) -> nn.Module:
    layers: list[nn.Module] = []
    for before, after in ((1, width), (width, 2 * width), (2 * width, 4 * width)):
        layers += [nn.Conv2d(before, after, 5, 2, 2), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * width, 1))


def _check(ours: nn.Module, theirs: nn.Module, x: torch.Tensor) -> None:
    names = dict(zip(theirs.state_dict(), ours.state_dict(), strict=True))

    def run(model: nn.Module) -> tuple[torch.Tensor, ...]:
        return (model(x.to(next(model.parameters()).dtype)),)

    check_equal(
        ours, theirs, lambda given: {names[k]: t for k, t in given.items()}, run, run
    )


def test_generator() -> None:
    ours = generated("wgan_gp", "generator")(latent=8, width=2)
    _check(ours, generator(8, 2), torch.randn(3, 8))


def test_critic() -> None:
    ours = generated("wgan_gp", "discriminator")(width=2)
    _check(ours, critic(2), torch.randn(3, 1, 28, 28))


def test_counts() -> None:
    for network, theirs in (
        ("generator", build_on_meta(generator, 128, 64)),
        ("discriminator", build_on_meta(critic, 64)),
    ):
        assert count(build_on_meta(generated("wgan_gp", network))) == count(theirs)
