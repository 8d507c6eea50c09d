"""CycleGAN's networks, layer by layer in torch alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from runtime.load import build_on_meta
from tests.reference.equality import check_equal, count, generated


class Residual(nn.Module):
    """Two convolutions of padded images in a residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(width, width, 3),
            nn.InstanceNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        given: Tensor = x + self.body(x)
        return given


def generator(width: int, depth: int) -> nn.Module:
    layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7)]
    layers += _normed(width)
    for now in (width, 2 * width):
        layers += [nn.Conv2d(now, 2 * now, 3, 2, 1), *_normed(2 * now)]
    layers += [Residual(4 * width) for _ in range(depth)]
    for now in (4 * width, 2 * width):
        up = nn.ConvTranspose2d(now, now // 2, 3, 2, 1, output_padding=1)
        layers += [up, *_normed(now // 2)]
    last = [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()]
    return nn.Sequential(*layers, *last)


def discriminator(width: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
    for k, stride in enumerate((2, 2, 1)):
        now = width * 2**k
        layers.append(nn.Conv2d(now, 2 * now, 4, stride, 1))
        layers += [nn.InstanceNorm2d(2 * now), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, 1, 1))


def _normed(width: int) -> list[nn.Module]:
    return [nn.InstanceNorm2d(width), nn.ReLU()]


def _check(ours: nn.Module, theirs: nn.Module) -> None:
    names = dict(zip(theirs.state_dict(), ours.state_dict(), strict=True))
    image = torch.randn(2, 3, 32, 40)

    def run(model: nn.Module) -> tuple[Tensor]:
        return (model(image.to(next(model.parameters()).dtype)),)

    check_equal(
        ours, theirs, lambda given: {names[k]: t for k, t in given.items()}, run, run
    )


def test_generator() -> None:
    _check(generated("cyclegan", "generator")(width=4, depth=2), generator(4, 2))


def test_discriminator() -> None:
    _check(generated("cyclegan", "discriminator")(width=4), discriminator(4))


def test_counts() -> None:
    for network, theirs in (
        ("generator", build_on_meta(generator, 64, 9)),
        ("discriminator", build_on_meta(discriminator, 64)),
    ):
        assert count(build_on_meta(generated("cyclegan", network))) == count(theirs)
