"""Optimizers of a task: torch's own arguments and defaults."""

import inspect
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from compiler.tasks.optimizers import Optimizer

TORCH = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}
LEFT_OUT = {
    *("params", "maximize", "foreach", "fused", "capturable", "differentiable"),
    "decoupled_weight_decay",
}
"""What a task does not say: how torch computes, and what AdamW is for."""


def test_every_optimizer_is_one_of_torch() -> None:
    assert Optimizer.members().keys() == TORCH.keys()


@pytest.mark.parametrize("name", TORCH)
def test_arguments_and_defaults_are_those_of_torch(name: str) -> None:
    of_torch: dict[str, Any] = {
        key: param.default
        for key, param in inspect.signature(TORCH[name]).parameters.items()
        if key not in LEFT_OUT
    }
    ours = Optimizer.members()[name]()
    assert ours.model_dump() == of_torch
    assert type(ours).__name__ == TORCH[name].__name__


@pytest.mark.parametrize("name", TORCH)
def test_torch_takes_the_arguments(name: str) -> None:
    weights = [torch.nn.Parameter(torch.zeros(2))]
    arguments = Optimizer.members()[name](lr=0.5).model_dump()
    built = TORCH[name](weights, **arguments)
    assert built.defaults["lr"] == 0.5


@pytest.mark.parametrize(
    "arguments",
    [{"nesterov": True}, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}],
)
def test_nesterov_is_refused_where_torch_refuses_it(arguments: dict[str, Any]) -> None:
    weights = [torch.nn.Parameter(torch.zeros(2))]
    with pytest.raises(ValueError, match="momentum"):
        torch.optim.SGD(weights, **arguments)
    with pytest.raises(ValidationError, match="nesterov"):
        Optimizer.model_validate({"sgd": arguments})


def test_formulas_and_flags() -> None:
    given = {"sgd": {"lr": "base / 10", "momentum": 0.9, "nesterov": "fast"}}
    context = {"params": {"base": 2.0, "fast": True}}
    found = Optimizer.model_validate(given, context=context)
    assert (found.lr, found.nesterov) == (0.2, True)
