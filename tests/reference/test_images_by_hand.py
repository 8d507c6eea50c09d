"""Networks of images against their formulas, written once more with torch alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.reference.equality import check_equal, generated
from tests.reference.test_by_hand import Named, Tensors


def _in_order(theirs: nn.Module, ours: nn.Module) -> Callable[[Tensors], Named]:
    """From names to names, where both models have their layers in one order."""
    names = dict(zip(theirs.state_dict(), ours.state_dict(), strict=True))
    return lambda tensors: {names[name]: tensor for name, tensor in tensors.items()}


def test_cnn() -> None:
    ours = generated("cnn")()
    theirs = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )
    _check_images(ours, theirs, _in_order(theirs, ours), torch.randn(3, 1, 28, 28))


def test_gan_generator() -> None:
    ours = generated("gan", "generator")(latent=10, width=4)
    theirs = nn.Sequential(
        nn.Unflatten(1, (10, 1, 1)),
        *_up(10, 32, stride=1, padding=0),
        *_up(32, 16),
        *_up(16, 8),
        *_up(8, 4),
        nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    )
    _check_images(ours, theirs, _in_order(theirs, ours), torch.randn(3, 10))


def _up(before: int, after: int, stride: int = 2, padding: int = 1) -> list[nn.Module]:
    conv = nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False)
    return [conv, nn.BatchNorm2d(after), nn.ReLU()]


def test_gan_discriminator() -> None:
    ours = generated("gan", "discriminator")(width=4)
    theirs = nn.Sequential(
        nn.Conv2d(3, 4, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2),
        *_down(4, 8),
        *_down(8, 16),
        *_down(16, 32),
        nn.Conv2d(32, 1, 4, bias=False),
        nn.Flatten(),
    )
    _check_images(ours, theirs, _in_order(theirs, ours), torch.randn(3, 3, 64, 64))


def _down(before: int, after: int) -> list[nn.Module]:
    conv = nn.Conv2d(before, after, 4, 2, 1, bias=False)
    return [conv, nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]


class FlatUNet(nn.Module):
    """Lists of levels, and a stack of what the way down leaves for the way up."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        widths = [width * 2**k for k in range(depth + 1)]
        self.encode = nn.ModuleList(map(self.block, [1, *widths], widths))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in widths[:-1]
        )
        self.decode = nn.ModuleList(self.block(2 * w, w) for w in widths[:-1])
        self.head = nn.Conv2d(width, 2, 1)

    @staticmethod
    def block(before: int, after: int) -> nn.Module:
        """Two convolutions, each with its norm."""
        return nn.Sequential(
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for k, encode in enumerate(self.encode):
            x = encode(F.max_pool2d(x, 2) if k else x)
            skips.append(x)
        for k in reversed(range(len(self.up))):
            x = self.decode[k](torch.cat([skips[k], self.up[k](x)], 1))
        logits: Tensor = self.head(x)
        return logits


PARTS = {"0": "conv1", "1": "bn1", "3": "conv2", "4": "bn2"}


def _unet_names(tensors: Tensors) -> Named:
    """`encode.2.0.weight` to `body.below.level.below.level.encode.conv1.weight`."""
    made = {}
    for name, tensor in tensors.items():
        kind, *rest = name.split(".")
        if kind != "head":
            level = "body" + ".below.level" * int(rest.pop(0))
            part = "below.up" if kind == "up" else f"{kind}.{PARTS[rest.pop(0)]}"
            name = f"{level}.{part}.{rest[0]}"
        made[name] = tensor
    return made


def test_unet() -> None:
    ours, theirs = generated("unet")(width=4, depth=3), FlatUNet(4, 3)
    _check_images(ours, theirs, _unet_names, torch.randn(2, 1, 32, 48))


def _check_images(
    ours: nn.Module,
    theirs: nn.Module,
    translate: Callable[[Tensors], Named],
    image: Tensor,
) -> None:
    def run(model: nn.Module) -> tuple[Tensor]:
        return (model(image.to(next(model.parameters()).dtype)),)

    check_equal(ours, theirs, translate, run, run)
