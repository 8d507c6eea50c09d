"""What training works with: networks, optimizers, data in order, and the devices under them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.optim import Optimizer

from compiler.program import Program
from compiler.tasks.task import Task
from runtime.data.dataset import Batch, DataSplits
from runtime.engine import build_optimizer
from runtime.engine.batch_sampler import (
    ShuffledBatchSampler,
    plain_loader,
    shuffled_loader,
)
from runtime.load import build_networks
from runtime.tasks.learner import Learner, OptimizerConfig, learner_class


@dataclass
class Session:
    """All that is live in a run."""

    fabric: Fabric
    task: Task
    learner: Learner[Any]
    modules: Mapping[str, nn.Module]
    """The networks as they were built, without what the devices wrap around them."""
    optimizer_configs: Mapping[str, OptimizerConfig]
    optimizers: Mapping[str, Optimizer]
    order: ShuffledBatchSampler
    batches: Iterable[Batch]
    held_out: Callable[[], Iterable[Batch]]

    @property
    def steps_per_epoch(self) -> int:
        """Steps of the optimizer in an epoch."""
        return -(-len(self.order) // self.task.accumulate)

    @property
    def total(self) -> int:
        """Steps of the whole run."""
        return self.steps_per_epoch * self.task.epochs


def open_session(program: Program, data: DataSplits, fabric: Fabric) -> Session:
    """Build the networks of a program and put them on their devices, weights as the seed gives them."""
    task = program.task
    assert task is not None
    torch.manual_seed(task.seed)
    modules = build_networks(program)
    wrapped = {name: fabric.setup_module(net) for name, net in modules.items()}
    made = learner_class(task.kind)(
        task, program.typed.networks, wrapped, data.metadata
    )
    configs = {config.network: config for config in made.configure_optimizers()}
    built = {
        name: fabric.setup_optimizers(
            build_optimizer.build(config.optimizer, wrapped[name].parameters())
        )
        for name, config in configs.items()
    }
    rank, world = fabric.global_rank, fabric.world_size
    lengths = getattr(data.train, "lengths", None)
    order = ShuffledBatchSampler(
        len(data.train), task.batch_size, task.seed, rank, world, lengths
    )
    batches = fabric.setup_dataloaders(
        shuffled_loader(data.train, order), use_distributed_sampler=False
    )
    torch.manual_seed(task.seed + rank)  # dropout differs between processes

    def held_out() -> Iterable[Batch]:
        loader = plain_loader(data.held_out, task.batch_size)
        return (fabric.to_device(batch) for batch in loader)

    return Session(
        fabric=fabric,
        task=task,
        learner=made,
        modules=modules,
        optimizer_configs=configs,
        optimizers=cast("dict[str, Optimizer]", built),
        order=order,
        batches=cast("Iterable[Batch]", batches),
        held_out=held_out,
    )
