"""Adversarial training: a generator and a discriminator in turn, judged by a small classifier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import get_ema_multi_avg_fn

from compiler.tasks.kinds.adversarial import Adversarial, is_conditional
from compiler.tasks.noise import latent
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch, DataSplits
from runtime.tasks.image_evaluator import ImageEvaluator
from runtime.tasks.learner import Learner, OptimizerConfig

ORDER: Final = ("discriminator", "generator")
"""The turns of a step."""
_JUDGED, _PART = 1000, 250
"""Images that are generated to be judged, and how many at a time."""


def discriminator_loss(kind: str, real: Tensor, fake: Tensor) -> Tensor:
    """The sum of the losses of scores [B] of real and of generated images.

    Sources: `non_saturating` Goodfellow et al., 2014; `hinge` Lim and Ye, 2017; `wasserstein` Arjovsky et al., 2017.
    """
    match kind:
        case "hinge":
            return F.relu(1 - real).sum() + F.relu(1 + fake).sum()
        case "wasserstein":
            return fake.sum() - real.sum()
    return F.softplus(-real).sum() + F.softplus(fake).sum()


def generator_loss(kind: str, fake: Tensor) -> Tensor:
    """The sum of the losses of scores [B] of generated images."""
    return F.softplus(-fake).sum() if kind == "non_saturating" else -fake.sum()


class AdversarialLearner(Learner[Adversarial]):
    """Learns to generate images that a discriminator takes for real."""

    task_type = Adversarial
    judge: ImageEvaluator | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.average: dict[str, Tensor] = {}
        self.averaged = 0

    def configure_optimizers(self) -> tuple[OptimizerConfig, ...]:
        task = self.task
        return tuple(
            OptimizerConfig(
                name,
                own.optimizer or task.optimizer,
                own.schedule or task.schedule,
                own.clip or task.clip,
            )
            for name in ORDER
            for own in (getattr(task, name),)
        )

    def networks_to_update(self, step: int) -> Sequence[str]:
        steps = {name: getattr(self.task, name).steps for name in ORDER}
        cycle = max(steps.values())
        place = step % cycle
        # The discriminator goes first: the generator learns from what that has learned.
        begins = {"discriminator": 0, "generator": cycle - steps["generator"]}
        return tuple(name for name in ORDER if 0 <= place - begins[name] < steps[name])

    def setup(self, data: DataSplits) -> None:
        self.judge = ImageEvaluator(data, self.task.seed, self.device)

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        kind, real, labels = self.task.loss, batch["image"], batch["label"]
        if network == "generator":
            return generator_loss(kind, self.score(*self.generated(len(real))))
        with torch.no_grad():
            fake, wanted = self.generated(len(real))
        real_score, fake_score = self.score(real, labels), self.score(fake, wanted)
        loss = discriminator_loss(kind, real_score, fake_score)
        weight = self.task.gradient_penalty
        return loss + weight * self.penalty(real, fake, labels) if weight else loss

    def penalty(self, real: Tensor, fake: Tensor, labels: Tensor) -> Tensor:
        """The sum of the penalties on the discriminator's gradient, for the labels [B] of the real images.

        For wasserstein (norm - 1)² at random places between real and generated images
        (Gulrajani et al., 2017), otherwise norm² / 2 at real ones (Mescheder et al., 2018).
        """
        if self.task.loss != "wasserstein":
            return self.slope(real, labels).square().sum() / 2
        places = torch.rand(len(real), 1, 1, 1, device=real.device)
        return (self.slope(torch.lerp(fake, real, places), labels) - 1).square().sum()

    def slope(self, images: Tensor, labels: Tensor) -> Tensor:
        """The norm of the score's gradient at each image [B]."""
        images = images.detach().requires_grad_()
        score = self.score(images, labels).sum()
        (gradient,) = torch.autograd.grad(score, images, create_graph=True)
        norm: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
        return norm

    def score(self, images: Tensor, labels: Tensor) -> Tensor:
        """What the discriminator says of images with labels [B]: [B]."""
        given = {"image": images, **self._asked("discriminator", labels)}
        return self.output("discriminator", "score", **given).flatten()

    def generated(self, count: int) -> tuple[Tensor, Tensor]:
        """New images [count, C, H, W] and the labels that they were asked for, from torch's random numbers."""
        noise = torch.randn(count, self.latent, device=self.device)
        labels = torch.zeros(count, dtype=torch.int64, device=self.device)
        if self.conditional("generator"):
            labels.random_(self.classes)
        return self.images(noise, labels), labels

    def images(self, noise: Tensor, labels: Tensor) -> Tensor:
        """The images [B, C, H, W] of noise [B, latent] and labels [B]."""
        given = {"noise": noise, **self._asked("generator", labels)}
        return self.output("generator", "image", **given)

    def _asked(self, network: str, labels: Tensor) -> dict[str, Tensor]:
        return {"label": labels} if self.conditional(network) else {}

    def conditional(self, network: str) -> bool:
        """Whether a network is told the label (Mirza and Osindero, 2014)."""
        return is_conditional(self.instances[network], self.task.ports)

    @property
    def classes(self) -> int:
        """How many labels there are."""
        return len(self.metadata["classes"])

    @property
    def latent(self) -> int:
        """How many numbers an image is made of."""
        net = self.instances["generator"]
        return latent(net, bound(net.inputs, "noise", self.task.ports))

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        assert self.judge is not None, "`setup` comes first"
        with self.eval_weights():
            parts = [self.generated(_PART)[0] for _ in range(_JUDGED // _PART)]
            found = self.judge(torch.cat(parts)) | self._losses(batches)
        return found | ({"judge.accuracy": self.judge.accuracy} if final else {})

    def _losses(self, batches: Iterable[Batch]) -> dict[str, float]:
        """The mean losses of both networks on held-out images, without a penalty."""
        total, count, kind = torch.zeros(2, device=self.device), 0, self.task.loss
        for batch in batches:
            real = self.score(batch["image"], batch["label"])
            fake = self.score(*self.generated(len(real)))
            losses = discriminator_loss(kind, real, fake), generator_loss(kind, fake)
            total += torch.stack(losses)
            count += len(real)
        means = (total / max(1, count)).tolist()
        return {f"{name}.loss": mean for name, mean in zip(ORDER, means, strict=True)}

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """A grid of images, in every epoch from the same noise; labels change along its rows."""
        from runtime.plots.image_grid import grid_png

        random = torch.Generator().manual_seed(self.task.seed)
        noise = torch.randn(self.task.samples, self.latent, generator=random)
        columns = self.columns
        labels = torch.arange(len(noise), device=self.device) % columns
        with self.eval_weights():
            images = self.images(noise.to(self.device), labels)
        return {
            f"epoch-{epoch:03}.png": grid_png(
                images, columns, self.metadata.get("range", "0..1")
            )
        }

    @property
    def columns(self) -> int:
        """Columns of a grid of samples: one for each label, where the generator is told it."""
        return (
            self.classes
            if self.conditional("generator")
            else round(self.task.samples**0.5)
        )

    # The running mean of the generator's weights.

    def after_optimizer_step(self, network: str) -> None:
        if network != "generator" or not self.task.average:
            return
        now = _floats(self.networks["generator"])
        if not self.average:
            self.average = {name: one.detach().clone() for name, one in now.items()}
        # A mean over few steps must not hold on to the first of them.
        decay = min(self.task.average, (1 + self.averaged) / (10 + self.averaged))
        mean = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        mean([self.average[name] for name in now], list(now.values()), self.averaged)
        self.averaged += 1

    @contextmanager
    def eval_weights(self) -> Iterator[None]:
        """The generator with the running mean of its weights, where there is one."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    @torch.no_grad()
    def _exchange(self) -> None:
        now = _floats(self.networks["generator"])
        for name, mean in self.average.items():
            kept = now[name].clone()
            now[name].copy_(mean)
            mean.copy_(kept)

    def state_dict(self) -> dict[str, Any]:
        return {"average": self.average, "averaged": self.averaged}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.averaged = state["averaged"]
        self.average = {
            name: mean.to(self.device) for name, mean in state["average"].items()
        }


def _floats(network: nn.Module) -> dict[str, Tensor]:
    """Weights and running statistics by name, tied ones once."""
    named = network.state_dict(keep_vars=True).items()
    once = {id(tensor): (name, tensor) for name, tensor in named}
    return {name: one for name, one in once.values() if one.is_floating_point()}
