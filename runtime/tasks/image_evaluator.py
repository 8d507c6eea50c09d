"""The judge of generated images: a small classifier that has learned from the same data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from runtime.data.dataset import Batch, DataSplits, Examples

FEATURES: Final = 64
"""Values that the judge sees an image as."""
_STEPS, _BATCH, _RATE = 600, 64, 1e-3
_MOST = 10_000
"""Real images of each part to compare with, at most."""
_SURE, _RARE = 0.9, 0.01


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution: mean [D] and covariance [D, D], in double precision."""

    mean: Tensor
    covariance: Tensor

    @classmethod
    def of(cls, features: Tensor) -> Self:
        """The one that is like features [N, D]; N is at least 2."""
        exact = features.double().cpu()
        return cls(exact.mean(0), exact.T.cov())


def frechet(one: Gaussian, other: Gaussian) -> float:
    """The squared distance (Heusel et al., 2017); inf where something is not finite.

    The root of a product of covariances has the trace of the root of a symmetric matrix,
    R C R with R R the other covariance, whose eigenvalues are real and not negative.
    """
    parts = (one.mean, one.covariance, other.mean, other.covariance)
    if not all(part.isfinite().all() for part in parts):
        return math.inf
    root = _root(one.covariance)
    product = root @ other.covariance @ root
    cross = torch.linalg.eigvalsh(product).clamp(min=0).sqrt().sum()
    spread = one.covariance.trace() + other.covariance.trace() - 2 * cross
    shift = (one.mean - other.mean).square().sum()
    return max(0.0, float(shift + spread))


def _root(matrix: Tensor) -> Tensor:
    """The root of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return root


class SmallConvNet(nn.Module):
    """Convolutions on at most 16 x 16 places, then FEATURES values, then the scores of the classes."""

    def __init__(self, channels: int, size: int, classes: int) -> None:
        super().__init__()
        stride = math.ceil(size / 16)
        self.see = nn.Sequential(
            nn.Conv2d(channels, 32, stride + 2, stride, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(4),
            nn.Flatten(),
            nn.Dropout(0.25),
            nn.Linear(64 * 4 * 4, FEATURES),
            nn.ReLU(),
        )
        self.say = nn.Linear(FEATURES, classes)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, FEATURES] and logits [B, classes] of images [B, C, H, W]."""
        features: Tensor = self.see(image)
        return features, self.say(features)


class ImageEvaluator:
    """Says how much generated images are like real ones, whose labels it has learned.

    The same data and seed give the same judge; random numbers elsewhere stay as they are.

    Attributes:
        accuracy: the share of held-out images that it knows: how far it can be trusted.
        real: what it sees in the real images, held-out ones too.
    """

    def __init__(self, data: DataSplits, seed: int, device: torch.device) -> None:
        self.device = device
        with torch.random.fork_rng(), torch.enable_grad():
            torch.manual_seed(seed)
            self.network = self._trained(data)
        train, _ = self._seen(data.train)
        held, right = self._seen(data.held_out)
        self.accuracy = float(right.float().mean())
        self.real = Gaussian.of(torch.cat([train, held]))

    def __call__(self, images: Tensor) -> dict[str, float]:
        """What it says of generated images [N, C, H, W].

        `frechet`: how far their features are from those of real ones; `confident`: the share that is
        in some class with a probability above 0.9; `classes`: how many have at least 1 % of the images;
        `entropy`: of the classes, in nats: the logarithm of their number where all are as frequent.
        """
        features, logits = self._looked(images)
        sure = logits.softmax(1).amax(1) > _SURE
        counts = logits.argmax(1).bincount(minlength=logits.shape[1])
        shares = counts / len(logits)
        return {
            "frechet": frechet(self.real, Gaussian.of(features)),
            "confident": float(sure.float().mean()),
            "classes": float((shares >= _RARE).sum()),
            "entropy": float(torch.special.entr(shares).sum()),
        }

    def _trained(self, data: DataSplits) -> SmallConvNet:
        """A network that has learned the labels."""
        batches = _endless(data.train)
        image = self._given(next(batches))["image"]
        _, channels, *sizes = image.shape
        network = SmallConvNet(channels, min(sizes), data.facts.classes or 1)
        network.to(self.device)
        optimizer = torch.optim.Adam(network.parameters(), _RATE)
        for _ in range(_STEPS):
            batch = self._given(next(batches))
            _, logits = network(batch["image"])
            optimizer.zero_grad()
            loss = F.cross_entropy(logits, batch["label"])
            torch.autograd.backward(loss)
            optimizer.step()
        return network.eval()

    def _seen(self, examples: Examples) -> tuple[Tensor, Tensor]:
        """Of real images, the features and whether their class is known."""
        found = []
        step = math.ceil(len(examples) / _MOST)
        chosen = list(range(0, len(examples), step))
        for first in range(0, len(chosen), 256):
            batch = self._given(examples.__getitems__(chosen[first : first + 256]))
            features, logits = self._looked(batch["image"])
            found.append((features, logits.argmax(1) == batch["label"]))
        features, right = (torch.cat(part) for part in zip(*found, strict=True))
        return features, right

    @torch.no_grad()
    def _looked(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features and logits."""
        parts = [self.network(part) for part in torch.split(images.float(), 256)]
        features, logits = (torch.cat(part) for part in zip(*parts, strict=True))
        return features, logits

    def _given(self, batch: Batch) -> Batch:
        return {role: tensor.to(self.device) for role, tensor in batch.items()}


def _endless(examples: Examples) -> Iterator[Batch]:
    """Batches in random order, again and again."""
    while True:
        for rows in torch.split(torch.randperm(len(examples)), _BATCH):
            yield examples.__getitems__(rows.tolist())
