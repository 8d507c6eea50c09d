"""Reconstruction: autoencoders and variational autoencoders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.text import listed
from compiler.tasks.kinds.reconstruction import CODE, Reconstruction
from compiler.tasks.noise import latent
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits, Examples
from runtime.tasks.conditions import ImageConditions
from runtime.tasks.learner import GenerationRequest, Learner
from runtime.tasks.user_inputs import image_files, image_shape, read_as_trained

_SAMPLE_IMAGES, _SAMPLE_COLUMNS = 24, 8
_CHUNK_SIZE: Final = 1000
_SAME: Final = 1e-3
"""Maximum difference of pixels that come from the same code, in float32."""


class ReconstructionLearner(Learner[Reconstruction]):
    """Trains a network to reconstruct images from their latent codes."""

    mean_image: Tensor | None = None
    """Mean of the training images [C, H, W]; set by `setup`."""

    def setup(self, data: DataSplits) -> None:
        self.mean_image = compute_mean_image(data.train).to(self.device)

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        image = batch["image"]
        out = self.reconstruct(image, batch, noisy=True)
        error = self.reconstruction_error(out, image)
        return error.sum() + self.task.beta * self.kl_divergence(out).sum()

    def reconstruct(
        self, image: Tensor, conditions: Batch, noisy: bool
    ) -> dict[str, Tensor]:
        """The network's outputs by name for images [B, C, H, W].

        Args:
            image: the images.
            conditions: `label` int[B], if the network knows the classes.
            noisy: whether latent codes are sampled; otherwise they are the means.
        """
        roles = {"image": image}
        if self.conditional:
            roles["label"] = conditions["label"].to(image.device)
        if self.noise_size:
            shape = (len(image), self.noise_size)
            draw = torch.randn if noisy else torch.zeros
            roles["noise"] = draw(shape, device=image.device)
        return self.call("", **roles)

    @property
    def conditional(self) -> bool:
        """Whether the network knows the class of each image."""
        return self.task.has(self.instances[""].inputs, "label")

    @property
    def noise_size(self) -> int:
        """Width of the network's noise input; 0 if it has none."""
        net, task = self.instances[""], self.task
        if not task.has(net.inputs, "noise"):
            return 0
        return latent(net, bound(net.inputs, "noise", task.ports))

    def _output(self, out: Mapping[str, Tensor]) -> Tensor:
        """The reconstruction among the outputs; logits if the loss is `bce`."""
        return out[bound(out, "reconstruction", self.task.ports)]

    def reconstruction_error(self, out: Mapping[str, Tensor], image: Tensor) -> Tensor:
        """The loss of each reconstruction [B], summed over its values."""
        output = self._output(out)
        if self.task.loss == "bce":
            error = F.binary_cross_entropy_with_logits(output, image, reduction="none")
        else:
            error = F.mse_loss(output, image, reduction="none")
        return error.flatten(1).sum(1)

    def kl_divergence(self, out: Mapping[str, Tensor]) -> Tensor:
        """Divergence of the latent distributions from a standard normal prior [B], in nats.

        A scalar 0 for an autoencoder that is not variational. Closed form: Kingma and Welling (2013), appendix B.
        """
        if not self.task.variational(out):
            return torch.zeros(())
        mean, log_variance = (
            out[bound(out, role, self.task.ports)] for role in ("mean", "log_variance")
        )
        terms = mean.square() + log_variance.exp() - 1 - log_variance
        return terms.flatten(1).sum(1) / 2

    def _pixels(self, out: Mapping[str, Tensor]) -> Tensor:
        """Reconstructions [B, C, H, W] in the range of the images."""
        output = self._output(out)
        return output.sigmoid() if self.task.loss == "bce" else output

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The mean loss of an image, and the mean squared error of a value.

        Variational autoencoders add `kl`, and the final evaluation `mse.mean`: the error
        of the mean training image.
        """
        sums, count, values = torch.zeros(4, device=self.device), 0, 0
        for batch in batches:
            image = batch["image"]
            sums += torch.stack(self._error_sums(batch)).to(sums)
            count, values = count + len(image), values + image.numel()
        error, kl, squared, baseline = sums.tolist()
        metrics = {
            "loss": (error + self.task.beta * kl) / count,
            "mse": squared / values,
        }
        if self.task.variational(self.instances[""].outputs):
            metrics["kl"] = kl / count
        if final and self.mean_image is not None:
            metrics["mse.mean"] = baseline / values
        return metrics

    def _error_sums(self, batch: Batch) -> list[Tensor]:
        """Sums over images: loss, KL divergence, squared error, squared error of the mean image."""
        image = batch["image"]
        out = self.reconstruct(image, batch, noisy=False)
        baseline = image if self.mean_image is None else self.mean_image
        return [
            self.reconstruction_error(out, image).sum(),
            self.kl_divergence(out).sum(),
            (self._pixels(out) - image).square().sum(),
            (baseline - image).square().sum(),
        ]

    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """The reconstruction error of image files, or of those in folders, and their codes if the network has them.

        `mse` is the mean squared error of a value, `code` the mean of the latent distribution; a network that knows
        classes adds the `label` with which the loss is lowest, and is run with it.

        Raises:
            RequestError, DataError: if a file does not exist or is not an image.
        """
        return [self._predict(file) for file in image_files(inputs)]

    @torch.no_grad()
    def _predict(self, file: str) -> dict[str, Any]:
        shape = image_shape(self.instances[""], self.task)
        image = read_as_trained(file, shape, self.task, self.metadata)
        image = image.to(self.device)
        conditions = self._conditions()
        image = image.expand(len(conditions) if self.conditional else 1, -1, -1, -1)
        out = self.reconstruct(image, conditions.rows, noisy=False)
        loss = self.reconstruction_error(out, image)
        best = int((loss + self.task.beta * self.kl_divergence(out)).argmin())
        error = F.mse_loss(self._pixels(out)[best], image[best])
        found: dict[str, Any] = {"input": file, "mse": float(error)}
        if self.conditional:
            found["label"] = conditions.names[best]
        if self.task.has(out, "mean"):
            found["code"] = out[bound(out, "mean", self.task.ports)][best].tolist()
        return found

    def _conditions(self) -> ImageConditions:
        """The classes of the images."""
        return ImageConditions.of(self.metadata, self.task.facts().length)

    def generate(self, request: GenerationRequest) -> bytes:
        """A grid of images whose codes are drawn from the prior, a standard normal.

        A network that knows classes draws images of one, or of each in its turn.

        Raises:
            RequestError: if the network is not a variational autoencoder whose code is sampled from `noise`, or does
                not know the class.
        """
        accepted = ("seed", "label") if self.conditional else ("seed",)
        invalid = request.options_besides(*accepted)
        if request.prompt or request.beam is not None or invalid:
            raise RequestError(
                f"generating images takes no option but {listed(accepted)}"
            )
        if not (self.noise_size and self.task.variational(self.instances[""].outputs)):
            message = "only a variational autoencoder generates images"
            raise RequestError(f"{message}: one with noise, mean and log_variance")
        torch.manual_seed(request.sampling.get("seed", 0))
        code = torch.randn(_SAMPLE_IMAGES, self.noise_size)
        conditions = self._requested(request.label)
        images, others = (self._decode(code, conditions, grey) for grey in (0.0, 1.0))
        if not torch.allclose(images, others, atol=_SAME):
            message = (
                "the code of the network is not mean + exp(log_variance / 2) * noise"
            )
            raise RequestError(f"{message}: images depend on more than the code")
        return self._grid(images, _SAMPLE_COLUMNS)

    def _requested(self, label: str) -> Batch:
        """The class of each sample: the one that is asked for, or each in its turn.

        Raises:
            RequestError: if there is no such class.
        """
        if not self.conditional:
            return {}
        conditions = self._conditions()
        if label:
            return conditions.requested(label, "", _SAMPLE_IMAGES)
        return conditions.chosen(torch.arange(_SAMPLE_IMAGES) % len(conditions))

    @torch.no_grad()
    def _decode(self, code: Tensor, conditions: Batch, grey: float) -> Tensor:
        """The images [N, C, H, W] of codes [N, latent].

        The code is mean + exp(log_variance / 2) * noise, so noise is chosen with which it is the given one. The image
        that is encoded, all `grey`, has no influence.
        """
        code = code.to(self.device)
        channels, height, width = image_shape(self.instances[""], self.task)
        shape = (len(code), channels, height, width)
        image = torch.full(shape, grey, device=self.device)
        out = self.reconstruct(image, conditions, noisy=False)
        mean, log_variance = (out[bound(out, r, self.task.ports)] for r in CODE)
        noise = (code - mean) / (log_variance / 2).exp()
        roles = {"label": conditions["label"].to(image.device)} if conditions else {}
        return self._pixels(self.call("", image=image, noise=noise, **roles))

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """Rows of held-out images, each above the row of its reconstructions."""
        batch = _first(batches, _SAMPLE_IMAGES)
        columns = min(_SAMPLE_COLUMNS, len(batch["image"]))
        whole = len(batch["image"]) // columns * columns
        batch = {role: one[:whole] for role, one in batch.items()}
        image = batch["image"]
        output = self._pixels(self.reconstruct(image, batch, noisy=False))
        pairs = torch.stack([_rows(image, columns), _rows(output, columns)], 1)
        return {f"epoch-{epoch:03}.png": self._grid(pairs.flatten(0, 2), columns)}

    def _grid(self, images: Tensor, columns: int) -> bytes:
        from runtime.plots.image_grid import grid_png

        return grid_png(images, columns, self.metadata.get("range", "0..1"))


def _first(batches: Iterable[Batch], count: int) -> Batch:
    """The first examples of batches as one."""
    some: list[Batch] = []
    for batch in batches:
        some.append(batch)
        if sum(len(one["image"]) for one in some) >= count:
            break
    return {role: torch.cat([one[role] for one in some])[:count] for role in some[0]}


def _rows(images: Tensor, columns: int) -> Tensor:
    """Images [N, C, H, W] as rows of a grid: [N / columns, columns, C, H, W]."""
    return torch.unflatten(images, 0, (-1, columns))


def compute_mean_image(train: Examples) -> Tensor:
    """The mean of all training images [C, H, W]: the baseline, which reconstructs every image as the same."""
    total, count = torch.zeros(()), len(train)
    for start in range(0, count, _CHUNK_SIZE):
        indices = list(range(start, min(start + _CHUNK_SIZE, count)))
        total = total + train.__getitems__(indices)["image"].sum(0)
    return total / count
