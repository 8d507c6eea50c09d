"""CO2 over Mauna Loa by the week, 1958 to 2001: 2,284 values that come with statsmodels, 59 of them missing."""

from __future__ import annotations

from compiler.tasks.choices import Share, Whole
from compiler.tasks.data.data_set import Data
from compiler.tasks.data_facts import DataFacts


class Co2(Data):
    """Options of the series.

    Attributes:
        length: values of the past that an example shows.
        horizon: values of the future that are to be told.
        season: the period of the seasonal baseline.
        held_out: the share at the end of the series that is held out.
    """

    length: Whole = 52
    horizon: Whole = 1
    season: Whole = 52
    held_out: Share = 0.2

    def facts(self) -> DataFacts:
        return DataFacts("series", features=1)
