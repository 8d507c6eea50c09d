"""Evaluate generated images with a small classifier of the same data, as FID does with Inception."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from runtime.data.dataset import Batch, DataSplits, Examples

FEATURES: Final = 64
"""Size of an image's feature vector."""
_STEPS, _BATCH_SIZE, _LEARNING_RATE = 600, 64, 1e-3
_MAX_IMAGES: Final = 10_000
"""Maximum number of real images of each split to compare with."""
_EVAL_BATCH_SIZE: Final = 256
_CONFIDENT, _RARE = 0.9, 0.01


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution: mean [D] and covariance [D, D], float64."""

    mean: Tensor
    covariance: Tensor

    @classmethod
    def fit(cls, features: Tensor) -> Self:
        """The distribution with the mean and covariance of features [N, D], N >= 2."""
        values = features.double().cpu()
        return cls(values.mean(0), values.T.cov())


def frechet_distance(one: Gaussian, other: Gaussian) -> float:
    """The squared Fréchet distance (Heusel et al., 2017); inf if a value is not finite.

    The trace of sqrt(C1 C2) is that of sqrt(R C2 R) with R = sqrt(C1): a symmetric matrix,
    whose eigenvalues are real and not negative.
    """
    parts = (one.mean, one.covariance, other.mean, other.covariance)
    if not all(part.isfinite().all() for part in parts):
        return math.inf
    root = _matrix_sqrt(one.covariance)
    product = root @ other.covariance @ root
    cross = torch.linalg.eigvalsh(product).clamp(min=0).sqrt().sum()
    spread = one.covariance.trace() + other.covariance.trace() - 2 * cross
    shift = (one.mean - other.mean).square().sum()
    return max(0.0, float(shift + spread))


def _matrix_sqrt(matrix: Tensor) -> Tensor:
    """The square root of a symmetric positive semi-definite matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    return root


class SmallConvNet(nn.Module):
    """Two convolutions on a grid of at most 16 x 16, FEATURES features, and a linear classifier."""

    def __init__(self, channels: int, size: int, classes: int) -> None:
        super().__init__()
        stride = math.ceil(size / 16)
        self.features = nn.Sequential(
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
        self.classifier = nn.Linear(FEATURES, classes)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Features [B, FEATURES] and logits [B, classes] of images [B, C, H, W]."""
        features: Tensor = self.features(image)
        return features, self.classifier(features)


class ImageEvaluator:
    """Measures how close generated images are to real ones, with a classifier trained on the real ones.

    The same data and seed train the same classifier. The global random state does not change.

    Args:
        data: images and labels.
        seed: of the classifier's initialisation and training.
        device: where the classifier runs.
        state: what `state_dict` of an evaluator of the same data returned; the classifier is not trained again.

    Attributes:
        accuracy: the classifier's accuracy on held-out images, which says how far to trust the metrics.
        real: the distribution of the features of real images, held-out ones included.
    """

    def __init__(
        self,
        data: DataSplits,
        seed: int,
        device: torch.device,
        state: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.device = device
        if state is not None:
            self._load_state_dict(data, state)
            return
        with torch.random.fork_rng(), torch.enable_grad():
            torch.manual_seed(seed)
            self.network = self._train(data)
        train, _ = self._real_features(data.train)
        held_out, correct = self._real_features(data.held_out)
        self.accuracy = float(correct.float().mean())
        self.real = Gaussian.fit(torch.cat([train, held_out]))

    def state_dict(self) -> dict[str, Tensor]:
        """The classifier's weights, its accuracy, and the distribution of the real images."""
        return {
            **{f"network.{k}": v for k, v in self.network.state_dict().items()},
            "accuracy": torch.tensor(self.accuracy),
            "real.mean": self.real.mean,
            "real.covariance": self.real.covariance,
        }

    def _load_state_dict(self, data: DataSplits, state: Mapping[str, Tensor]) -> None:
        prefix = "network."
        own = {k.removeprefix(prefix): v for k, v in state.items() if prefix in k}
        image = data.train.__getitems__([0])["image"]
        self.network = self._untrained(data, image).eval()
        self.network.load_state_dict(own)
        self.accuracy = float(state["accuracy"])
        mean, covariance = state["real.mean"], state["real.covariance"]
        self.real = Gaussian(mean.view(FEATURES), covariance.view(FEATURES, FEATURES))

    def _untrained(self, data: DataSplits, images: Tensor) -> SmallConvNet:
        """A classifier for images [N, C, H, W] of the data."""
        _, channels, *sizes = images.shape
        network = SmallConvNet(channels, min(sizes), data.facts.classes or 1)
        return network.to(self.device)

    def __call__(self, images: Tensor) -> dict[str, float]:
        """The metrics of generated images [N, C, H, W].

        `frechet`: squared Fréchet distance to the features of real images. `confident`:
        fraction of images whose most probable class has a probability above 0.9.
        `classes`: number of classes with at least 1 % of the images. `entropy`: of the
        distribution of predicted classes, in nats; log(classes) if all are equally frequent.
        """
        features, logits = self._forward(images)
        confident = logits.softmax(1).amax(1) > _CONFIDENT
        counts = logits.argmax(1).bincount(minlength=logits.shape[1])
        fractions = counts / len(logits)
        return {
            "frechet": frechet_distance(self.real, Gaussian.fit(features)),
            "confident": float(confident.float().mean()),
            "classes": float((fractions >= _RARE).sum()),
            "entropy": float(torch.special.entr(fractions).sum()),
        }

    def classify(self, images: Tensor) -> Tensor:
        """The most probable class int[N] of images [N, C, H, W]."""
        _, logits = self._forward(images)
        return logits.argmax(1)

    def _train(self, data: DataSplits) -> SmallConvNet:
        """A classifier of the training images, in evaluation mode."""
        batches = _endless_batches(data.train)
        network = self._untrained(data, next(batches)["image"])
        optimizer = torch.optim.Adam(network.parameters(), _LEARNING_RATE)
        for _ in range(_STEPS):
            batch = self._to_device(next(batches))
            _, logits = network(batch["image"])
            optimizer.zero_grad()
            loss = F.cross_entropy(logits, batch["label"])
            torch.autograd.backward(loss)
            optimizer.step()
        return network.eval()

    def _real_features(self, examples: Examples) -> tuple[Tensor, Tensor]:
        """Features [N, FEATURES] of real images, and whether each is classified correctly bool[N]."""
        parts = []
        step = math.ceil(len(examples) / _MAX_IMAGES)
        indices = list(range(0, len(examples), step))
        for start in range(0, len(indices), _EVAL_BATCH_SIZE):
            chunk = indices[start : start + _EVAL_BATCH_SIZE]
            batch = self._to_device(examples.__getitems__(chunk))
            features, logits = self._forward(batch["image"])
            parts.append((features, logits.argmax(1) == batch["label"]))
        features, correct = (torch.cat(part) for part in zip(*parts, strict=True))
        return features, correct

    @torch.no_grad()
    def _forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features [N, FEATURES] and logits [N, classes]."""
        chunks = torch.split(images.float(), _EVAL_BATCH_SIZE)
        parts = [self.network(chunk) for chunk in chunks]
        features, logits = (torch.cat(part) for part in zip(*parts, strict=True))
        return features, logits

    def _to_device(self, batch: Batch) -> Batch:
        return {role: tensor.to(self.device) for role, tensor in batch.items()}


def _endless_batches(examples: Examples) -> Iterator[Batch]:
    """Shuffled batches, epoch after epoch without end."""
    while True:
        for rows in torch.split(torch.randperm(len(examples)), _BATCH_SIZE):
            yield examples.__getitems__(rows.tolist())
