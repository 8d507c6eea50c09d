"""Reconstruction: autoencoders, and variational ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, islice

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.kinds.reconstruction import Reconstruction
from compiler.tasks.noise import latent
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits, Examples
from runtime.tasks.learner import Learner

_SHOWN, _COLUMNS = 24, 8


class ReconstructionLearner(Learner[Reconstruction]):
    """Learns to give back an image from a code of it."""

    task_type = Reconstruction
    mean: Tensor | None = None
    """The mean of the training images, once these are known."""

    def setup(self, data: DataSplits) -> None:
        self.mean = mean_image(data.train).to(self.device)

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        image = batch["image"]
        out = self.coded(image, noisy=True)
        return self.distance(out, image).sum() + self.task.beta * self.kl(out).sum()

    def coded(self, image: Tensor, noisy: bool) -> dict[str, Tensor]:
        """What the network makes of images, by name; without noise, of the mean of their codes."""
        roles = {"image": image}
        if self.noise:
            shape = (len(image), self.noise)
            draw = torch.randn if noisy else torch.zeros
            roles["noise"] = draw(shape, device=image.device)
        return self.call("", **roles)

    @property
    def noise(self) -> int:
        """How many numbers of noise the network takes for an image; 0: none."""
        net, task = self.instances[""], self.task
        if not task.has(net.inputs, "noise"):
            return 0
        return latent(net, bound(net.inputs, "noise", task.ports))

    def given_back(self, out: Mapping[str, Tensor]) -> Tensor:
        """The output that is the reconstruction: of cross-entropy its logits."""
        return out[bound(out, "reconstruction", self.task.ports)]

    def distance(self, out: Mapping[str, Tensor], image: Tensor) -> Tensor:
        """How far reconstructions are from images [B]: the loss of all their values together."""
        found = self.given_back(out)
        if self.task.loss == "bce":
            each = F.binary_cross_entropy_with_logits(found, image, reduction="none")
        else:
            each = F.mse_loss(found, image, reduction="none")
        return each.flatten(1).sum(1)

    def kl(self, out: Mapping[str, Tensor]) -> Tensor:
        """The divergence of the codes from a standard normal prior [B], in nats; 0 where they are no distributions.

        In closed form: appendix B of Kingma and Welling, 2013.
        """
        if not self.task.variational(out):
            return torch.zeros(())
        mean, log_variance = (
            out[bound(out, role, self.task.ports)] for role in ("mean", "log_variance")
        )
        terms = mean.square() + log_variance.exp() - 1 - log_variance
        return terms.flatten(1).sum(1) / 2

    def shown(self, out: Mapping[str, Tensor]) -> Tensor:
        """Reconstructions as images."""
        found = self.given_back(out)
        return found.sigmoid() if self.task.loss == "bce" else found

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The loss, the squared error of a value, and after training that of the mean image."""
        sums, count, values = torch.zeros(4, device=self.device), 0, 0
        for batch in batches:
            image = batch["image"]
            sums += torch.stack(self._judged(image)).to(sums)
            count, values = count + len(image), values + image.numel()
        distance, kl, error, of_mean = sums.tolist()
        found = {
            "loss": (distance + self.task.beta * kl) / count,
            "mse": error / values,
        }
        if self.task.variational(self.instances[""].outputs):
            found["kl"] = kl / count
        if final and self.mean is not None:
            found["mse.mean"] = of_mean / values
        return found

    def _judged(self, image: Tensor) -> list[Tensor]:
        """Sums over images: distance, divergence, squared error, and that of the mean image."""
        out = self.coded(image, noisy=False)
        error = (self.shown(out) - image).square().sum()
        mean = image if self.mean is None else self.mean
        of_mean = (mean - image).square().sum()
        return [self.distance(out, image).sum(), self.kl(out).sum(), error, of_mean]

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """Rows of held-out images, and below each the row of their reconstructions."""
        from runtime.plots.image_grid import grid_png

        first = islice(chain.from_iterable(b["image"] for b in batches), _SHOWN)
        image = torch.stack(list(first))
        columns = min(_COLUMNS, len(image))
        image = image[: len(image) // columns * columns]
        made = self.shown(self.coded(image, noisy=False))
        pairs = torch.stack([_rows(image, columns), _rows(made, columns)], 1)
        picture = grid_png(
            pairs.flatten(0, 2), columns, self.metadata.get("range", "0..1")
        )
        return {f"epoch-{epoch:03}.png": picture}


def _rows(images: Tensor, columns: int) -> Tensor:
    """Images [N, C, H, W] as rows of a picture: [N / columns, columns, C, H, W]."""
    return torch.unflatten(images, 0, (-1, columns))


_PART = 1000


def mean_image(train: Examples) -> Tensor:
    """What all training images have in common: [C, H, W], the same whatever the image is."""
    total, count = torch.zeros(()), len(train)
    for start in range(0, count, _PART):
        part = list(range(start, min(start + _PART, count)))
        total = total + train.__getitems__(part)["image"].sum(0)
    return total / count
