"""How networks learn, and how they are judged: what the engine asks of every task."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

from compiler.diagnostics.diagnostic import RequestError
from compiler.ir.typed import Instance
from compiler.tasks.optimizers import Optimizer
from compiler.tasks.ports import bound
from compiler.tasks.schedules import ScheduleChoice
from compiler.tasks.task import Task
from runtime.data.dataset import Batch, DataSplits

T = TypeVar("T", bound=Task)


@dataclass(frozen=True)
class OptimizerConfig:
    """One network's part in a step: it has an optimizer of its own. `network` is "" where there is only one."""

    network: str
    optimizer: Optimizer
    schedule: ScheduleChoice
    clip: float | None


class Learner(Generic[T]):
    """A task at work on live networks.

    The engine puts the networks that it has wrapped (by devices, by precision) into
    `networks`; a learner calls them, and never the modules beneath.

    Attributes:
        task: what the spec says.
        instances: the networks as the compiler knows them, for their ports.
        networks: the live networks, by name ("" for the only one).
        metadata: what is kept of the data: names of classes, tokenizers, scales.
    """

    task_type: ClassVar[type[Task]]

    def __init__(
        self,
        task: T,
        instances: Mapping[str, Instance],
        networks: Mapping[str, nn.Module],
        metadata: Mapping[str, Any],
    ) -> None:
        self.task, self.instances, self.metadata = task, instances, metadata
        self.networks: dict[str, nn.Module] = dict(networks)

    # What the engine asks.

    def configure_optimizers(self) -> tuple[OptimizerConfig, ...]:
        """The networks that are trained, in the order in which they are in a step."""
        task = self.task
        return tuple(
            OptimizerConfig(name, task.optimizer, task.schedule, task.clip)
            for name in self.networks
        )

    def networks_to_update(self, step: int) -> Sequence[str]:
        """Of the networks, those that learn in a step, counted from 0."""
        return tuple(self.networks)

    def setup(self, data: DataSplits) -> None:
        """What there is to do once, before the first step: a judge may be trained here."""

    def num_items(self, batch: Batch) -> int:
        """Of how many terms the loss of a batch is the sum."""
        return len(next(iter(batch.values())))

    @abstractmethod
    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        """The sum of the terms of the loss for one turn; `progress` is the share of the steps that are done."""

    def after_optimizer_step(self, network: str) -> None:
        """What follows a step of a network's optimizer: a running mean, say."""

    @abstractmethod
    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """Metrics on held-out batches, `task.metric` among them; `final` after training, when costly ones are due too.

        Networks are in evaluation mode, and gradients are off.
        """

    def eval_weights(self) -> AbstractContextManager[None]:
        """The weights that are judged and kept as the best, in place of those in training."""
        return nullcontext()

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """What shows how far the networks are, as files by name; after every evaluation."""
        return {}

    def plots(self) -> dict[str, bytes]:
        """Pictures of the last evaluation, as files by name."""
        return {}

    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """What the networks say of each input, a file or a text, as plain values for JSON; they are in evaluation mode.

        Raises:
            RequestError, SpecError: where an input is wrong, or the task predicts nothing.
        """
        raise RequestError(f"{self.task.kind} has nothing to predict")

    def state_dict(self) -> dict[str, Any]:
        """What a run must keep besides weights and optimizers, to go on as it would have: tensors and plain values."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""

    # What learners share.

    @property
    def network(self) -> nn.Module:
        """The only network."""
        return self.networks[""]

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(next(iter(self.networks.values())).parameters()).device

    def call(self, network: str, **roles: Tensor) -> dict[str, Tensor]:
        """Run a network on inputs by role; its outputs by name."""
        instance = self.instances[network]
        inputs = instance.scope.inputs
        names = {
            bound(inputs, role, self.task.ports): given for role, given in roles.items()
        }
        out = self.networks[network](*(names[name] for name in inputs))
        tensors = out if isinstance(out, tuple) else (out,)
        return dict(zip(instance.outputs, tensors, strict=True))

    def output(self, network: str, role: str, **roles: Tensor) -> Tensor:
        """Run a network on inputs by role; the output that plays a role."""
        found = self.call(network, **roles)
        return found[bound(found, role, self.task.ports)]


def learner_class(kind: str) -> type[Learner[Any]]:
    """The learner for a task of a kind: the one that the module of its name beside this one defines."""
    module = import_module(f"runtime.tasks.{kind}")
    (found,) = (
        one
        for one in vars(module).values()
        if isinstance(one, type)
        and issubclass(one, Learner)
        and one.__module__ == module.__name__
    )
    return found
