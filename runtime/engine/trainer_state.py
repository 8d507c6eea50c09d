"""The progress of a run: what resuming needs besides weights and optimizers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

LogRow = dict[str, int | float]
"""A row of `steps.csv` or `metrics.csv`, by column."""

Sums = dict[str, Annotated[list[int | float], Field(min_length=2, max_length=2)]]
"""By name, a sum and the number of its values."""

_Count = Annotated[int, Field(ge=0, lt=2**63)]


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

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    step: _Count = 0
    epoch: _Count = 0
    batch: _Count = 0
    seconds: float = 0.0
    best: float | None = None
    best_epoch: _Count = 0
    mark: float | None = None
    waited: _Count = 0
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
        """The state that `as_dict` returned.

        Raises:
            ValueError: if a field has another type, or there are others.
        """
        try:
            return TypeAdapter(cls).validate_python(values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(map(str, first["loc"]))
            raise ValueError(f"{key}: {first['msg']}") from None


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
