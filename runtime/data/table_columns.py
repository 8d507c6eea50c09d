"""The columns of a table as inputs of a network: numbers are standardised, categories become indices."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from runtime.data.dataset import Batch

BLANK: Final = ""
"""The category of a blank field."""


class _Fitted(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Column(_Fitted):
    name: str


class NumberColumn(_Column):
    """A column of numbers, with mean and standard deviation in the training part."""

    mean: float
    std: float

    def scaled(self, values: Tensor) -> Tensor:
        """Standardised values; missing ones (NaN) are the mean."""
        return ((values - self.mean) / self.std).nan_to_num(nan=0.0)


class CategoryColumn(_Column):
    """A column of categories; `values` are those of the training part."""

    values: list[str]


class TableColumns(_Fitted):
    """The inputs of a table, as its training part has them.

    Attributes:
        numbers: the columns of numbers.
        categories: the columns of categories. Their indices follow one another: each column has one for values that
            the training part lacks, then one for each value.
    """

    numbers: list[NumberColumn]
    categories: list[CategoryColumn]

    @property
    def indices(self) -> int:
        """The number of indices of all categories."""
        return sum(len(column.values) + 1 for column in self.categories)

    @property
    def names(self) -> list[str]:
        """The names of all columns, numbers first."""
        return [column.name for column in (*self.numbers, *self.categories)]

    def encode(
        self,
        numbers: Mapping[str, Sequence[float]],
        categories: Mapping[str, Sequence[str]],
    ) -> Batch:
        """Inputs by role: `numbers` float[N, columns] and `categories` int[N, columns], if the table has some.

        Args:
            numbers: the values of each column of numbers; NaN: missing.
            categories: the values of each column of categories; `BLANK`: missing.
        """
        batch: Batch = {}
        if self.numbers:
            scaled = [
                one.scaled(torch.tensor(numbers[one.name], dtype=torch.float64))
                for one in self.numbers
            ]
            batch["numbers"] = torch.stack(scaled, 1).float()
        if self.categories:
            batch["categories"] = torch.tensor(self._indices(categories)).T.contiguous()
        return batch

    def _indices(self, categories: Mapping[str, Sequence[str]]) -> list[list[int]]:
        found, first = [], 0
        for column in self.categories:
            index = {value: number for number, value in enumerate(column.values, 1)}
            values = categories[column.name]
            found.append([first + index.get(value, 0) for value in values])
            first += len(column.values) + 1
        return found


def fit_numbers(name: str, values: Sequence[float]) -> NumberColumn:
    """The column with the mean and the standard deviation of values; NaN are left out."""
    known = torch.tensor(values, dtype=torch.float64)
    known = known[~known.isnan()]
    if not len(known):
        return NumberColumn(name=name, mean=0.0, std=1.0)
    std = float(known.std(correction=0))
    spread = std if std > 0 and math.isfinite(std) else 1.0
    return NumberColumn(name=name, mean=float(known.mean()), std=spread)


def fit_categories(name: str, values: Sequence[str], rare: int = 1) -> CategoryColumn:
    """The column with the categories that occur at least `rare` times."""
    counts = Counter(values)
    kept = sorted(value for value, count in counts.items() if count >= rare)
    return CategoryColumn(name=name, values=kept)


def answers_metadata(
    classes: Sequence[str] = (),
    targets: Sequence[NumberColumn] = (),
    labels: Sequence[str] = (),
) -> dict[str, Any]:
    """What a run stores of what is predicted: names, and the scales of numbers."""
    scales = [one.model_dump() for one in targets]
    return {"classes": list(classes), "targets": scales, "labels": list(labels)}
