"""The base class of all tasks: how networks are trained, evaluated and used."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar, get_args

import torch
from torch import Tensor, nn

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.text import listed
from compiler.ir.typed import Instance
from compiler.op.find_modules import only_class
from compiler.tasks.optimizers import Optimizer
from compiler.tasks.plugins import plugin_classes
from compiler.tasks.ports import bound
from compiler.tasks.schedules import Schedule
from compiler.tasks.task import Task
from compiler.tasks.task_kinds import task_kind
from runtime.data.dataset import Batch, DataSplits

T = TypeVar("T", bound=Task)


@dataclass(frozen=True)
class OptimizerConfig:
    """How one network is optimized.

    Attributes:
        network: name of the network; "" for the only one.
        optimizer: the optimizer and its arguments.
        schedule: learning rate schedule.
        clip: maximum gradient norm; None: no clipping.
    """

    network: str
    optimizer: Optimizer
    schedule: Schedule
    clip: float | None


@dataclass(frozen=True)
class GenerationRequest:
    """What a user asks a trained network to generate.

    Attributes:
        prompt: text to continue, to translate, or to draw an image of.
        beam: beam width; None: sampling.
        sampling: the fields of `Sampling` that the user sets.
        label: the class of the images to generate.
    """

    prompt: str = ""
    beam: int | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""

    def options_besides(self, *accepted: str) -> str:
        """Names of the sampling options that are set and not accepted, for a message; "" if there are none."""
        given = self.sampling.keys() | ({"label"} if self.label else set())
        others = sorted(given - set(accepted))
        return listed([name.replace("_", "-") for name in others], none="")


class Learner(Generic[T]):
    """Trains and evaluates the networks of one task.

    The engine puts the networks into `networks` after wrapping them for devices and
    precision. A learner calls these wrapped networks, never the modules inside them.

    Args:
        task: the task of the spec.
        instances: the compiled networks, for the names and types of their ports.
        networks: the live networks by name; "" is the name of the only one.
        metadata: what a run stores of its data: class names, tokenizers, scales.
    """

    def __init__(
        self,
        task: T,
        instances: Mapping[str, Instance],
        networks: Mapping[str, nn.Module],
        metadata: Mapping[str, Any],
    ) -> None:
        self.task, self.instances, self.metadata = task, instances, metadata
        self.networks: dict[str, nn.Module] = dict(networks)

    needs_inputs: ClassVar[bool] = True
    """Whether `predict` has nothing to predict without inputs."""

    # Called by the engine.

    def configure_optimizers(self) -> tuple[OptimizerConfig, ...]:
        """The optimizer of each trained network, in the order of their updates within a step."""
        task = self.task
        return tuple(
            OptimizerConfig(name, task.optimizer, task.schedule, task.clip)
            for name in self.networks
        )

    def networks_to_update(self, step: int) -> Sequence[str]:
        """The names of the networks that are updated in a step; steps count from 0."""
        return tuple(self.networks)

    @property
    def averaged(self) -> Sequence[str]:
        """The names of the networks whose weights are averaged, if the task says so."""
        return tuple(self.networks)

    def setup(self, data: DataSplits) -> None:
        """Prepare for training or evaluation with this data; called once.

        Raises:
            SpecError: if the networks do not fit the data.
        """

    def evaluator_state(self) -> dict[str, Tensor]:
        """Tensors of metrics that are trained themselves, which a run stores after `setup`."""
        return {}

    def load_evaluator_state(self, state: Mapping[str, Tensor]) -> None:
        """Use what `evaluator_state` returned for the same data; called before `setup`.

        Raises:
            KeyError, RuntimeError, ValueError: by `setup`, if a tensor is missing or does not fit.
        """

    def num_items(self, batch: Batch) -> int:
        """The number of terms that the loss of a batch sums over; default: its examples."""
        return len(next(iter(batch.values())))

    @abstractmethod
    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        """The loss of one network, summed over the items of a batch: a scalar.

        Args:
            network: name of the network that is updated.
            batch: tensors by role.
            progress: fraction of all training steps that are done, from 0 to 1.
        """

    @abstractmethod
    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """Metrics on held-out batches by name; the one of `task.best_metric` is among them.

        Networks are in evaluation mode and gradients are off.

        Args:
            batches: the held-out data.
            final: whether to add the costly metrics, which are computed once, after training.
        """

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """Files by name that show what the networks can do; made after every evaluation."""
        return {}

    def plots(self) -> dict[str, bytes]:
        """Plots of the last evaluation: PNG files by name."""
        return {}

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Tables of the last evaluation by name, as rows of values by column."""
        return {}

    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """Predictions for files or texts, one JSON object for each; networks are in evaluation mode.

        Raises:
            RequestError, SpecError: if an input is invalid, or the task has no predictions.
        """
        raise RequestError(f"the task {self.task.kind} has no predictions")

    def generate(self, request: GenerationRequest) -> str | bytes:
        """Generated text, or a PNG of generated images; networks are in evaluation mode.

        Raises:
            RequestError: if the request is invalid, or the task generates nothing.
        """
        raise RequestError(f"the task {self.task.kind} generates nothing")

    def generate_all(self, requests: Sequence[GenerationRequest]) -> list[str | bytes]:
        """What `generate` gives for each request.

        Raises:
            RequestError: if a request is invalid, or the task generates nothing.
        """
        return [self.generate(request) for request in requests]

    def state_dict(self) -> dict[str, Any]:
        """What resuming needs besides weights and optimizers: tensors and plain values."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""

    # Shared by the tasks.

    @property
    def network(self) -> nn.Module:
        """The only network."""
        return self.networks[""]

    @property
    def device(self) -> torch.device:
        """The device of the networks."""
        return next(next(iter(self.networks.values())).parameters()).device

    def call(self, network: str, **roles: Tensor) -> dict[str, Tensor]:
        """Run a network on inputs by role; returns its outputs by name."""
        instance = self.instances[network]
        inputs = instance.scope.inputs
        by_name = {
            bound(inputs, role, self.task.ports): tensor
            for role, tensor in roles.items()
        }
        out = self.networks[network](*(by_name[name] for name in inputs))
        tensors = out if isinstance(out, tuple) else (out,)
        named = zip(instance.scope.outputs, tensors, strict=True)
        return {name: tensor for name, tensor in named if tensor is not None}

    def output(self, network: str, role: str, **roles: Tensor) -> Tensor:
        """Run a network on inputs by role; returns the output with the role `role`."""
        outputs = self.call(network, **roles)
        return outputs[bound(outputs, role, self.task.ports)]


def learner_class(kind: str) -> type[Learner[Any]]:
    """The learner for a kind of task: the only one of the module `runtime.tasks.KIND`, or a plug-in's.

    Raises:
        RequestError: if a plug-in has a task without a learner.
    """
    task = task_kind(kind)
    if task in plugin_classes(Task):  # type: ignore[type-abstract]
        for found in plugin_classes(Learner):  # type: ignore[type-abstract]
            if any(task in get_args(base) for base in _original_bases(found)):
                return found
        message = f"the plug-in of {kind} has no class of Learner[{task.__name__}]"
        raise RequestError(message)
    return only_class(f"runtime.tasks.{kind}", Learner)  # type: ignore[type-abstract]


def _original_bases(kind: type) -> tuple[Any, ...]:
    """The bases of a class with their parameters: `Learner[Regression]`."""
    return getattr(kind, "__orig_bases__", kind.__bases__)
