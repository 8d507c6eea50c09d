"""How far a run is: what it must remember, besides weights, to go on as if it had not stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

Row = dict[str, float]

Sums = dict[str, list[float]]
"""By name a total, and of how many values it is."""


@dataclass
class TrainerState:
    """Where training stands, and how it got there.

    Attributes:
        step: steps of the optimizer that are done.
        epoch: epochs that are done.
        batch: batches of the epoch under way that are done.
        seconds: time spent on steps, over all parts of the run.
        best: the best value of the task's metric so far, and the epoch that it is of.
        mark: the value that the next must be better than by `min_delta`, for early stopping.
        waited: evaluations since there was such a value.
        sums: losses of the epoch under way.
        recent: losses since the last row of the steps.
        steps, metrics: the rows of the two tables.
        done: whether the run has come to its end.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    mark: float | None = None
    waited: int = 0
    sums: Sums = field(default_factory=dict)
    recent: Sums = field(default_factory=dict)
    steps: list[Row] = field(default_factory=list)
    metrics: list[Row] = field(default_factory=list)
    done: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As plain values, which are the live ones."""
        return dict(vars(self))

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """From what `as_dict` gave."""
        return cls(**values)


def label(network: str, what: str) -> str:
    """The name of a column: of one network among several, with its name before it."""
    return f"{network}.{what}" if network else what


def add(sums: Sums, values: Mapping[str, float]) -> None:
    """Add values to their sums."""
    for name, value in values.items():
        total = sums.setdefault(name, [0.0, 0])
        total[0] += value
        total[1] += 1


def means(sums: Sums) -> Row:
    """The mean of each."""
    return {name: total / count for name, (total, count) in sums.items()}
