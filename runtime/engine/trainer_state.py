"""The progress of a run: what resuming needs besides weights and optimizers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

LogRow = dict[str, float]
"""A row of `steps.csv` or `metrics.csv`, by column."""

Sums = dict[str, list[float]]
"""By name, a sum and the number of its values."""


@dataclass
class TrainerState:
    """The progress of a run. `state.pt` has these fields by name.

    Attributes:
        step: number of optimizer steps done.
        epoch: number of epochs done.
        batch: number of batches done in the current epoch.
        seconds: training time, summed over all parts of the run, without evaluations.
        best: best value of the task's metric so far.
        best_epoch: the epoch of that value.
        mark: the value that the next must improve on by `min_delta`, for early stopping.
        waited: number of evaluations without such an improvement.
        sums: losses of the current epoch.
        recent: losses since the last row of `steps`.
        steps: rows of `steps.csv`.
        metrics: rows of `metrics.csv`.
        done: whether training is complete.
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
    steps: list[LogRow] = field(default_factory=list)
    metrics: list[LogRow] = field(default_factory=list)
    done: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The fields by name; lists and dictionaries are not copied."""
        return dict(vars(self))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The state that `as_dict` returned."""
        return cls(**values)


def column_name(network: str, quantity: str) -> str:
    """The name of a column: `loss`, or `generator.loss` for one of several networks."""
    return f"{network}.{quantity}" if network else quantity


def add_to_sums(sums: Sums, values: Mapping[str, float]) -> None:
    """Add each value to the sum of its name."""
    for name, value in values.items():
        total = sums.setdefault(name, [0.0, 0])
        total[0] += value
        total[1] += 1


def means(sums: Sums) -> LogRow:
    """The mean of each sum."""
    return {name: total / count for name, (total, count) in sums.items()}
