"""The live objects of training: networks, optimizers, data and devices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from compiler.program import Program
from compiler.tasks.task import Task
from runtime.data.dataset import Batch, DataSplits
from runtime.engine.batch_sampler import (
    Batches,
    ShuffledBatchSampler,
    sequential_loader,
    shuffled_loader,
)
from runtime.engine.build_optimizer import build_optimizer, learning_rate
from runtime.engine.freezing import Freezing
from runtime.engine.weight_average import WeightAverage
from runtime.load import build_networks
from runtime.tasks.learner import Learner, OptimizerConfig, learner_class

States = Mapping[str, Mapping[str, Tensor]]
"""Tensors by network and name."""


@dataclass
class Session:
    """The live objects of training.

    Attributes:
        fabric: devices, precision and processes.
        task: the task of the spec.
        learner: the task's learner, with the wrapped networks.
        modules: the networks as they were built, without Fabric's wrappers.
        optimizer_configs, optimizers: by network.
        average: the average of the weights, if the task has one.
        freezing: the parameters that are not trained.
        sampler: the order of the training batches.
        batches: one epoch of training batches, in that order.
        held_out: returns the held-out batches.
        holds_out: whether there are any.
    """

    fabric: Fabric
    task: Task
    learner: Learner[Any]
    modules: Mapping[str, nn.Module]
    optimizer_configs: Mapping[str, OptimizerConfig]
    optimizers: Mapping[str, Optimizer]
    average: WeightAverage
    freezing: Freezing
    sampler: ShuffledBatchSampler
    batches: Iterable[Batch]
    held_out: Callable[[], Iterable[Batch]]
    holds_out: bool

    @property
    def steps_per_epoch(self) -> int:
        """Number of optimizer steps in an epoch."""
        return -(-len(self.sampler) // self.task.accumulate)

    @property
    def total_steps(self) -> int:
        """Number of optimizer steps in all epochs."""
        return self.steps_per_epoch * self.task.epochs

    def learning_rate(self, network: str) -> float:
        """The current learning rate of a network."""
        return learning_rate(self.optimizers[network])


def open_session(
    program: Program, data: DataSplits, fabric: Fabric, start: States | None = None
) -> Session:
    """Build a program's networks and optimizers on the fabric's devices.

    Weights are initialised by the task's seed, and those of `start` loaded.
    """
    task = program.task
    assert task is not None
    torch.manual_seed(task.seed)
    modules = build_networks(program.traceable())
    for name, state in (start or {}).items():
        modules[name].load_state_dict(dict(state), strict=False)
    wrapped = {name: fabric.setup_module(module) for name, module in modules.items()}
    learner = learner_class(task.kind)(
        task, program.typed.networks, wrapped, data.metadata
    )
    configs = {config.network: config for config in learner.configure_optimizers()}
    optimizers = {
        name: fabric.setup_optimizers(
            build_optimizer(config.optimizer, name, modules[name], task)
        )
        for name, config in configs.items()
    }
    rank, world_size = fabric.global_rank, fabric.world_size
    lengths = getattr(data.train, "lengths", None)
    sampler = ShuffledBatchSampler(
        len(data.train), task.batch_size, task.seed, rank, world_size, lengths
    )
    batches = fabric.setup_dataloaders(
        shuffled_loader(data.train, sampler), use_distributed_sampler=False
    )
    torch.manual_seed(task.seed + rank)  # so that dropout differs between processes

    def held_out() -> Iterable[Batch]:
        loader = sequential_loader(data.held_out, task.batch_size)
        return (fabric.to_device(batch) for batch in loader)

    return Session(
        fabric=fabric,
        task=task,
        learner=learner,
        modules=modules,
        optimizer_configs=configs,
        optimizers=cast("dict[str, Optimizer]", optimizers),
        average=WeightAverage(
            {name: wrapped[name] for name in learner.averaged}, task.average
        ),
        freezing=Freezing(modules, task.start),
        sampler=sampler,
        batches=Batches(cast("Iterable[Batch | Exception]", batches)),
        held_out=held_out,
        holds_out=len(data.held_out) > 0,
    )
