"""Schedules of a task, step by step beside torch's own."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import SGD, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from compiler.tasks.schedules import Schedule

TOTAL, LR = 40, 0.3
CASES: dict[str, tuple[dict[str, Any], Callable[[SGD], LRScheduler]]] = {
    "constant": ({}, lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
    "linear": (
        {"end_factor": 0.1},
        lambda o: lr_scheduler.LinearLR(o, 1.0, 0.1, total_iters=TOTAL),
    ),
    "cosine": (
        {"end_factor": 0.2},
        lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL, eta_min=0.2 * LR),
    ),
    "step": (
        {"step_size": 7, "gamma": 0.5},
        lambda o: lr_scheduler.StepLR(o, 7, gamma=0.5),
    ),
    "multi_step": (
        {"milestones": (5, 9, 9, 30)},
        lambda o: lr_scheduler.MultiStepLR(o, [5, 9, 9, 30]),
    ),
    "exponential": ({"gamma": 0.9}, lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    "warm_restarts": (
        {"period": 4, "multiply": 2, "end_factor": 0.1},
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 4, 2, eta_min=0.1 * LR),
    ),
    "polynomial": (
        {"power": 2.0},
        lambda o: lr_scheduler.PolynomialLR(o, TOTAL, power=2.0),
    ),
}


def schedule(name: str, **arguments: Any) -> Any:
    return Schedule.members()[name](**arguments)


def rates(build: Callable[[SGD], LRScheduler], steps: int = TOTAL + 1) -> list[float]:
    """The rate of torch's scheduler in every step; by default in the one after the last, too."""
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = build(optimizer)
    found = []
    for number in range(steps):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if number < steps - 1:
            scheduler.step()
    return found


def test_there_is_a_case_for_each() -> None:
    assert Schedule.members().keys() == {*CASES, "noam", "one_cycle"}


@pytest.mark.parametrize("name", CASES)
def test_as_torch(name: str) -> None:
    arguments, build = CASES[name]
    ours = schedule(name, **arguments)
    factors = [LR * ours.factor(step, TOTAL) for step in range(TOTAL + 1)]
    assert factors == pytest.approx(rates(build), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_warm_up_comes_before(name: str) -> None:
    arguments, _ = CASES[name]
    warm, plain = schedule(name, warmup=5, **arguments), schedule(name, **arguments)
    first = [warm.factor(step, TOTAL + 5) for step in range(5)]
    assert first == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert [warm.factor(step + 5, TOTAL + 5) for step in range(TOTAL)] == [
        plain.factor(step, TOTAL) for step in range(TOTAL)
    ]


@pytest.mark.parametrize("rise", [0.3, 0.05, 0.0])
def test_one_cycle_as_torch(rise: float) -> None:
    def build(optimizer: SGD) -> LRScheduler:
        options = {"total_steps": TOTAL, "pct_start": rise, "cycle_momentum": False}
        return lr_scheduler.OneCycleLR(optimizer, LR, **options)  # type: ignore[arg-type]

    ours = schedule("one_cycle", rise=rise)
    factors = [LR * ours.factor(step, TOTAL) for step in range(TOTAL)]
    assert factors == pytest.approx(rates(build, TOTAL), rel=1e-9, abs=1e-12)
    ends = [ours.factor(step, 10**18) for step in (0, 10**18, 2 * 10**18)]
    assert all(0 <= factor <= 1 for factor in (*ends, ours.factor(0, 1)))


def test_restarts_of_equal_length() -> None:
    ours = schedule("warm_restarts", period=10)
    found = [ours.factor(step, 10**18) for step in (0, 5, 10, 10**18)]
    assert found == pytest.approx([1.0, 0.5, 1.0, 1.0])


def test_noam_is_the_formula_of_the_paper() -> None:
    ours = schedule("noam", width=512, warmup=4000)
    for number in (1, 2, 3999, 4000, 4001, 100_000):
        paper = 512**-0.5 * min(number**-0.5, number * 4000**-1.5)
        assert ours.factor(number - 1, 0) == pytest.approx(paper)
    peak = max(range(8000), key=lambda step: ours.factor(step, 0))
    assert peak == 3999


@pytest.mark.parametrize("name", [*CASES, "noam"])
@pytest.mark.parametrize("total", [1, 10**18])
def test_any_number_of_steps(name: str, total: int) -> None:
    arguments = {"width": 10**18} if name == "noam" else CASES[name][0]
    ours = schedule(name, warmup=10**18, **arguments)
    factors = [ours.factor(step, total) for step in (0, total, 2 * total)]
    assert all(math.isfinite(factor) and factor >= 0 for factor in factors)


def test_a_growing_rate_ends_in_infinity() -> None:
    assert schedule("exponential", gamma=10.0).factor(10**9, 10**9) == math.inf
    assert schedule("step", gamma=10.0, step_size=1).factor(400, 400) == math.inf
