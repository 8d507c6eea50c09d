"""CO2 over Mauna Loa by the week, 1958 to 2001: 2,284 values that come with statsmodels, 59 of them missing."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import DataSet
from compiler.tasks.formulas import Share, Whole


class Co2(DataSet):
    """Options of the series.

    Attributes:
        length: length of the input window.
        horizon: number of values to forecast.
        season: period of the seasonal baseline.
        held_out: fraction at the end of the series that is held out; 0: train on everything, without evaluations.
    """

    name: ClassVar[str] = "co2"
    forms: ClassVar[tuple[Form, ...]] = ("series",)

    length: Whole = 52
    horizon: Whole = 1
    season: Whole = 52
    held_out: Share = 0.2

    def facts(self) -> DataFacts:
        return DataFacts("series", features=1, length=self.length, horizon=self.horizon)
