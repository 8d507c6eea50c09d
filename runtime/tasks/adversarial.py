"""Adversarial training of a generator and a discriminator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.kinds.adversarial import Adversarial, is_conditional
from compiler.tasks.noise import latent
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.tasks.image_evaluator import ImageEvaluator
from runtime.tasks.learner import GenerationRequest, Learner, OptimizerConfig
from runtime.tasks.waveforms import as_images, wav, with_images

NETWORKS: Final = ("discriminator", "generator")
"""The order of updates within a step."""
_EVAL_IMAGES, _EVAL_BATCH_SIZE = 1000, 250


def discriminator_loss(kind: str, real: Tensor, fake: Tensor) -> Tensor:
    """The discriminator's loss, summed over scores [B] of real and of generated images.

    Sources: `non_saturating` Goodfellow et al. (2014); `hinge` Lim and Ye (2017);
    `wasserstein` Arjovsky et al. (2017).
    """
    match kind:
        case "hinge":
            return F.relu(1 - real).sum() + F.relu(1 + fake).sum()
        case "wasserstein":
            return fake.sum() - real.sum()
    return F.softplus(-real).sum() + F.softplus(fake).sum()


def generator_loss(kind: str, fake: Tensor) -> Tensor:
    """The generator's loss, summed over scores [B] of generated images."""
    return F.softplus(-fake).sum() if kind == "non_saturating" else -fake.sum()


class AdversarialLearner(Learner[Adversarial]):
    """Trains a generator of images or sounds against a discriminator (Goodfellow et al., 2014)."""

    evaluator: ImageEvaluator | None = None
    _evaluator_state: Mapping[str, Tensor] | None = None

    @property
    def averaged(self) -> Sequence[str]:
        """The generator alone: its images are what counts."""
        return ("generator",)

    def configure_optimizers(self) -> tuple[OptimizerConfig, ...]:
        task = self.task
        return tuple(
            OptimizerConfig(
                name,
                own.optimizer or task.optimizer,
                own.schedule or task.schedule,
                own.clip or task.clip,
            )
            for name in NETWORKS
            for own in (getattr(task, name),)
        )

    def networks_to_update(self, step: int) -> Sequence[str]:
        steps = {name: getattr(self.task, name).steps for name in NETWORKS}
        cycle = max(steps.values())
        offset = step % cycle
        # The discriminator is updated first: the generator learns from its new scores.
        first = {"discriminator": 0, "generator": cycle - steps["generator"]}
        return tuple(
            name for name in NETWORKS if 0 <= offset - first[name] < steps[name]
        )

    def setup(self, data: DataSplits) -> None:
        """Train the classifier that evaluates generated images, unless its state was loaded or nothing is held out."""
        if not len(data.held_out):
            return
        state = self._evaluator_state
        if self._sounds:
            data = with_images(data, self.metadata["rate"])
        self.evaluator = ImageEvaluator(data, self.task.seed, self.device, state)

    def evaluator_state(self) -> dict[str, Tensor]:
        return {} if self.evaluator is None else self.evaluator.state_dict()

    def load_evaluator_state(self, state: Mapping[str, Tensor]) -> None:
        self._evaluator_state = state

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        kind, real, labels = self.task.loss, batch[self.task.made], batch["label"]
        if network == "generator":
            return generator_loss(kind, self.score(*self.generate_images(len(real))))
        with torch.no_grad():
            fake, fake_labels = self.generate_images(len(real))
        real_score, fake_score = self.score(real, labels), self.score(fake, fake_labels)
        loss = discriminator_loss(kind, real_score, fake_score)
        weight = self.task.gradient_penalty
        if not weight:
            return loss
        return loss + weight * self.gradient_penalty(real, fake, labels)

    def gradient_penalty(self, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        """The penalty on the discriminator's gradient, summed over images [B, C, H, W] with labels [B].

        For `wasserstein` (norm - 1)² at random points between real and generated images
        (Gulrajani et al., 2017), otherwise norm² / 2 at real images (Mescheder et al., 2018).
        """
        if self.task.loss != "wasserstein":
            return self.gradient_norm(real, labels).square().sum() / 2
        weights = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
        images = torch.lerp(fake, real, weights)
        return (self.gradient_norm(images, labels) - 1).square().sum()

    def gradient_norm(self, images: Tensor, labels: Tensor) -> Tensor:
        """The norm of the score's gradient with respect to each image [B]."""
        images = images.detach().requires_grad_()
        score = self.score(images, labels).sum()
        (gradient,) = torch.autograd.grad(score, images, create_graph=True)
        norm: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
        return norm

    def score(self, images: Tensor, labels: Tensor) -> Tensor:
        """The discriminator's scores [B] of images [B, C, H, W] with labels [B]."""
        inputs = {self.task.made: images, **self._label_input("discriminator", labels)}
        return self.output("discriminator", "score", **inputs).flatten()

    def generate_images(self, count: int) -> tuple[Tensor, Tensor]:
        """Random images [count, C, H, W] and the labels [count] that they are conditioned on."""
        noise = torch.randn(count, self.latent_size, device=self.device)
        labels = torch.zeros(count, dtype=torch.int64, device=self.device)
        if self.conditional("generator"):
            labels.random_(self.classes)
        return self.images_of(noise, labels), labels

    def images_of(self, noise: Tensor, labels: Tensor) -> Tensor:
        """The generator's images [B, C, H, W] for noise [B, latent] and labels [B]."""
        inputs = {"noise": noise, **self._label_input("generator", labels)}
        return self.output("generator", self.task.made, **inputs)

    def _label_input(self, network: str, labels: Tensor) -> dict[str, Tensor]:
        return {"label": labels} if self.conditional(network) else {}

    def conditional(self, network: str) -> bool:
        """Whether a network has a label input (Mirza and Osindero, 2014)."""
        return is_conditional(self.instances[network], self.task.ports)

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.metadata["classes"])

    @property
    def latent_size(self) -> int:
        """Width of the generator's noise input."""
        net = self.instances["generator"]
        return latent(net, bound(net.inputs, "noise", self.task.ports))

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The metrics of `ImageEvaluator` for generated images, and both networks' held-out losses."""
        assert self.evaluator is not None, "`setup` comes first"
        count = _EVAL_IMAGES // _EVAL_BATCH_SIZE
        parts = [self.generate_images(_EVAL_BATCH_SIZE)[0] for _ in range(count)]
        images = self._images(torch.cat(parts))
        metrics = self.evaluator(images) | self._mean_losses(batches)
        if final:
            metrics["judge.accuracy"] = self.evaluator.accuracy
        return metrics

    def _mean_losses(self, batches: Iterable[Batch]) -> dict[str, float]:
        """The mean loss of both networks on held-out images, without gradient penalty."""
        total, count, kind = torch.zeros(2, device=self.device), 0, self.task.loss
        for batch in batches:
            real = self.score(batch[self.task.made], batch["label"])
            fake = self.score(*self.generate_images(len(real)))
            losses = discriminator_loss(kind, real, fake), generator_loss(kind, fake)
            total += torch.stack(losses)
            count += len(real)
        means = (total / max(1, count)).tolist()
        return {
            f"{name}.loss": mean for name, mean in zip(NETWORKS, means, strict=True)
        }

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """A grid of generated images, from the same noise in every epoch; each column has its label."""
        generator = torch.Generator().manual_seed(self.task.seed)
        noise = torch.randn(self.task.samples, self.latent_size, generator=generator)
        labels = torch.arange(len(noise), device=self.device) % self.grid_columns
        images = self.images_of(noise.to(self.device), labels)
        files: dict[str, bytes | str] = {f"epoch-{epoch:03}.png": self._grid(images)}
        if self._sounds:
            files[f"epoch-{epoch:03}.wav"] = wav(images, self.metadata["rate"])
        return files

    def generate(self, request: GenerationRequest) -> bytes:
        invalid = request.options_besides("seed")
        if request.prompt or request.beam is not None or invalid:
            raise RequestError(
                f"generating {self.task.made}s takes no option but a seed"
            )
        torch.manual_seed(request.sampling.get("seed", 0))
        with torch.no_grad():
            images, _ = self.generate_images(self.task.samples)
        return (
            wav(images, self.metadata["rate"]) if self._sounds else self._grid(images)
        )

    def _grid(self, images: Tensor) -> bytes:
        from runtime.plots.image_grid import grid_png

        value_range = self.metadata.get("range", "0..1")
        return grid_png(self._images(images), self.grid_columns, value_range)

    @property
    def _sounds(self) -> bool:
        """Whether waveforms are generated."""
        return self.task.made == "waveform"

    def _images(self, made: Tensor) -> Tensor:
        """What was generated as images: of sounds the spectrograms."""
        return as_images(made, self.metadata["rate"]).to(made) if self._sounds else made

    @property
    def grid_columns(self) -> int:
        """Columns of a grid of images: one for each class, if the generator has a label input."""
        square: int = round(self.task.samples**0.5)
        return self.classes if self.conditional("generator") else square
