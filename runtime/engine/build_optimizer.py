"""Build the optimizers of `torch.optim` that tasks declare."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.optim import Optimizer

from compiler.tasks import optimizers as declared


def build_optimizer(
    choice: declared.Optimizer, parameters: Iterable[nn.Parameter]
) -> Optimizer:
    """The optimizer of these parameters: torch's class of the same name, with the task's arguments."""
    optimizer_class: Callable[..., Optimizer] = getattr(
        torch.optim, type(choice).__name__
    )
    return optimizer_class(parameters, **choice.arguments)


def set_learning_rate(optimizer: Optimizer, learning_rate: float) -> None:
    """Set the learning rate of all parameter groups."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
