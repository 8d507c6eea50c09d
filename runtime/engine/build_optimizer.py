"""The optimizers of torch.optim by the names and arguments of a task."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.optim import Optimizer

from compiler.tasks import optimizers as declared

CLASSES: dict[str, type[Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}


def build(choice: declared.Optimizer, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """The optimizer of these parameters."""
    made: Callable[..., Optimizer] = CLASSES[choice.name]
    return made(parameters, **choice.chosen.model_dump())


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Give all groups a learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
