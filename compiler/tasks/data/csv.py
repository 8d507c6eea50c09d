"""Columns of a CSV file as a series, one line for each time."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File
from compiler.tasks.formulas import Share, Whole
from compiler.tasks.splits import OwnFiles


class Csv(OwnFiles):
    """Options of a CSV file; missing values are interpolated linearly.

    Attributes:
        path: the file; its first line names the columns.
        columns: the columns of the series.
        length: length of the input window.
        horizon: number of times to forecast.
        season: period of the seasonal baseline.
        held_out: fraction at the end of the series that is held out; 0: train on everything, without evaluations.
    """

    name: ClassVar[str] = "csv"
    forms: ClassVar[tuple[Form, ...]] = ("series",)

    path: File
    columns: Annotated[
        tuple[str, ...],
        BeforeValidator(lambda v: tuple(v) if isinstance(v, list) else v),
    ] = Field(min_length=1)
    length: Whole = 24
    horizon: Whole = 1
    season: Whole = 1
    held_out: Share = 0.2

    def facts(self) -> DataFacts:
        return DataFacts(
            "series",
            features=len(self.columns),
            length=self.length,
            horizon=self.horizon,
        )
