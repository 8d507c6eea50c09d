"""Build the optimizers of `torch.optim` that tasks declare."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.optim import Optimizer

from compiler.language.name_patterns import parse_pattern
from compiler.tasks import optimizers as declared
from compiler.tasks.depths import depths
from compiler.tasks.task import Task

_NORMS: Final = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
_RATE: Final = "rate"
"""The key of a parameter group for its learning rate as a multiple of the optimizer's."""


def build_optimizer(
    choice: declared.Optimizer, network: str, module: nn.Module, task: Task
) -> Optimizer:
    """The optimizer of a network's parameters: torch's class of the same name, with the task's arguments.

    Weight decay applies to matrices and larger tensors, but not to norms, biases and other vectors, unless the task
    has `decay_all`. Parameters with equal options are one group.

    Args:
        choice: the optimizer and its arguments.
        network: name of the network, which patterns of tensors start with; "" for the only one.
        module: the network.
        task: the task, with its learning rates.
    """
    optimizer_class: Callable[..., Optimizer] = getattr(
        torch.optim, type(choice).__name__
    )
    arguments = choice.arguments
    decay = 0.0 if task.decay_all else arguments.get("weight_decay", 0.0)
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    named = list(_named_weights(module))
    by_depth = depths(name for name, _, _ in named)
    deepest = max(by_depth.values(), default=0)
    for name, weight, decayed in named:
        rate = _rate(f"{network}.{name}" if network else name, task)
        rate *= (task.layer_decay or 1.0) ** (deepest - by_depth[name])
        groups.setdefault((rate, decayed or not decay), []).append(weight)
    return optimizer_class(
        [
            {
                "params": weights,
                _RATE: rate,
                **({} if decayed else {"weight_decay": 0.0}),
            }
            for (rate, decayed), weights in groups.items()
        ],
        **arguments,
    )


def _named_weights(module: nn.Module) -> Iterator[tuple[str, nn.Parameter, bool]]:
    """The parameters by name, and whether weight decay applies to them."""
    norms = {
        id(weight)
        for part in module.modules()
        if isinstance(part, _NORMS)
        for weight in part.parameters(recurse=False)
    }
    for name, weight in module.named_parameters():
        yield name, weight, weight.ndim > 1 and id(weight) not in norms


def _rate(name: str, task: Task) -> float:
    """The learning rate of a tensor, as a multiple of the optimizer's."""
    for pattern, rate in task.rates.items():
        if parse_pattern(pattern).match(name) is not None:
            return rate
    return 1.0


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Set the learning rate, in each parameter group times its own factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get(
            _RATE, 1.0
        )  # a state of an earlier version has one group


def learning_rate(optimizer: Optimizer) -> float:
    """The learning rate that was set."""
    found = [(group["lr"], group.get(_RATE, 1.0)) for group in optimizer.param_groups]
    return max((lr / rate for lr, rate in found if rate), default=0.0)
