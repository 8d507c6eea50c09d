"""Adversarial training of a generator and a discriminator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.diagnostics.diagnostic import RequestError
from compiler.tasks.kinds.adversarial import Adversarial, conditions
from compiler.tasks.noise import latent
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.tasks.conditions import ImageConditions, conditions_of
from runtime.tasks.image_evaluator import ImageEvaluator
from runtime.tasks.learner import GenerationRequest, Learner, OptimizerConfig
from runtime.tasks.waveforms import as_images, wav, with_images

NETWORKS: Final = ("discriminator", "generator")
"""The order of updates within a step."""
_MOST_COLUMNS: Final = 20
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
        kind, real, shown = self.task.loss, batch[self.task.made], conditions_of(batch)
        if network == "generator":
            return generator_loss(kind, self.score(*self.generate_images(len(real))))
        with torch.no_grad():
            fake, fake_shown = self.generate_images(len(real))
        real_score, fake_score = self.score(real, shown), self.score(fake, fake_shown)
        loss = discriminator_loss(kind, real_score, fake_score)
        weight = self.task.gradient_penalty
        if not weight:
            return loss
        return loss + weight * self.gradient_penalty(real, fake, shown)

    def gradient_penalty(self, real: Tensor, fake: Tensor, shown: Batch) -> Tensor:
        """The penalty on the discriminator's gradient, summed over images [B, C, H, W] with their conditions.

        For `wasserstein` (norm - 1)² at random points between real and generated images
        (Gulrajani et al., 2017), otherwise norm² / 2 at real images (Mescheder et al., 2018).
        """
        if self.task.loss != "wasserstein":
            return self.gradient_norm(real, shown).square().sum() / 2
        weights = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
        images = torch.lerp(fake, real, weights)
        return (self.gradient_norm(images, shown) - 1).square().sum()

    def gradient_norm(self, images: Tensor, shown: Batch) -> Tensor:
        """The norm of the score's gradient with respect to each image [B]."""
        images = images.detach().requires_grad_()
        score = self.score(images, shown).sum()
        (gradient,) = torch.autograd.grad(score, images, create_graph=True)
        norm: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
        return norm

    def score(self, images: Tensor, shown: Batch) -> Tensor:
        """The discriminator's scores [B] of images [B, C, H, W] with their conditions."""
        inputs = {self.task.made: images, **self._told("discriminator", shown)}
        return self.output("discriminator", "score", **inputs).flatten()

    def generate_images(
        self, count: int, shown: Batch | None = None
    ) -> tuple[Tensor, Batch]:
        """Images [count, C, H, W] of random noise, and what they are conditioned on; default: at random."""
        noise = torch.randn(count, self.latent_size, device=self.device)
        if shown is None:
            told = any(map(self.conditional, NETWORKS))
            shown = self.conditions.random(count) if told else {}
        shown = {role: rows.to(self.device) for role, rows in shown.items()}
        return self.images_of(noise, shown), shown

    def images_of(self, noise: Tensor, shown: Batch) -> Tensor:
        """The generator's images [B, C, H, W] for noise [B, latent] and conditions."""
        inputs = {"noise": noise, **self._told("generator", shown)}
        return self.output("generator", self.task.made, **inputs)

    def _told(self, network: str, shown: Batch) -> Batch:
        """The conditions that a network is told."""
        roles = conditions(self.instances[network], self.task.ports)
        return {role: shown[role] for role in roles if role in shown}

    def conditional(self, network: str) -> bool:
        """Whether a network is told what an image shows (Mirza and Osindero, 2014)."""
        return bool(conditions(self.instances[network], self.task.ports))

    @cached_property
    def conditions(self) -> ImageConditions:
        """All that generated images may be conditioned on."""
        return ImageConditions.of(self.metadata, self.task.facts().length)

    @property
    def latent_size(self) -> int:
        """Width of the generator's noise input."""
        net = self.instances["generator"]
        return latent(net, bound(net.inputs, "noise", self.task.ports))

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The metrics of `ImageEvaluator` for generated images, and both networks' held-out losses.

        Of a conditional generator also `match`: the fraction of images that the evaluator's classifier takes for what
        was asked for.
        """
        assert self.evaluator is not None, "`setup` comes first"
        count = _EVAL_IMAGES // _EVAL_BATCH_SIZE
        parts = [self.generate_images(_EVAL_BATCH_SIZE) for _ in range(count)]
        images = self._images(torch.cat([made for made, _ in parts]))
        metrics = self.evaluator(images) | self._mean_losses(batches)
        if self.conditional("generator"):
            label = torch.cat([shown["label"] for _, shown in parts])
            found = self.evaluator.classify(images)
            metrics["match"] = float((found == label).float().mean())
        if final:
            metrics["judge.accuracy"] = self.evaluator.accuracy
        return metrics

    def _mean_losses(self, batches: Iterable[Batch]) -> dict[str, float]:
        """The mean loss of both networks on held-out images, without gradient penalty."""
        total, count, kind = torch.zeros(2, device=self.device), 0, self.task.loss
        for batch in batches:
            real = self.score(batch[self.task.made], conditions_of(batch))
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
        shown: Batch = {}
        if self.conditional("generator"):
            columns = torch.arange(len(noise)) % self.grid_columns
            spacing = max(1, len(self.conditions) // self.grid_columns)
            chosen = self.conditions.chosen(columns * spacing % len(self.conditions))
            shown = {role: rows.to(self.device) for role, rows in chosen.items()}
        images = self.images_of(noise.to(self.device), shown)
        files: dict[str, bytes | str] = {f"epoch-{epoch:03}.png": self._grid(images)}
        if self._sounds:
            files[f"epoch-{epoch:03}.wav"] = wav(images, self.metadata["rate"])
        return files

    def generate(self, request: GenerationRequest) -> bytes:
        invalid = request.options_besides("seed", "label")
        if request.beam is not None or invalid:
            raise RequestError(
                f"generating {self.task.made}s takes no option but a seed, a label or a prompt"
            )
        torch.manual_seed(request.sampling.get("seed", 0))
        count, shown = self.task.samples, self._requested(request)
        with torch.no_grad():
            images, _ = self.generate_images(count, shown)
        return (
            wav(images, self.metadata["rate"]) if self._sounds else self._grid(images)
        )

    def _requested(self, request: GenerationRequest) -> Batch | None:
        """What images are asked for; None for any.

        Raises:
            RequestError: if there are none of it.
        """
        told = conditions(self.instances["generator"], self.task.ports)
        asked = {"label": request.label, "tokens": request.prompt}
        for role, option in (("label", "label"), ("tokens", "prompt")):
            if asked[role] and role not in told:
                message = (
                    f"the generator has no input {role}, so there is no --{option}"
                )
                raise RequestError(message)
        if not any(asked.values()):
            return None
        count = self.task.samples
        return self.conditions.requested(request.label, request.prompt, count)

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
        """Columns of a grid of images: one for each class, if the generator has a label input and they are few."""
        square: int = round(self.task.samples**0.5)
        few = len(self.conditions) <= _MOST_COLUMNS
        return len(self.conditions) if self.conditional("generator") and few else square
