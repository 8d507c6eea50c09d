"""The optimizers of torch.optim by the names and arguments of a task."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.optim import Optimizer

from compiler.tasks import optimizers as declared


def build(choice: declared.Optimizer, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """The optimizer of these parameters: torch's class of the same name."""
    made: Callable[..., Optimizer] = getattr(torch.optim, type(choice).__name__)
    return made(parameters, **choice.arguments)


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Give all groups a learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
