"""CO2 over Mauna Loa by the week, 1958 to 2001: 2,284 values that come with statsmodels, 59 of them missing."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import Form
from compiler.tasks.formulas import Whole
from compiler.tasks.series_data import SeriesData


class Co2(SeriesData):
    """Options of the series."""

    name: ClassVar[str] = "co2"
    forms: ClassVar[tuple[Form, ...]] = ("series",)

    length: Whole = 52
    season: Whole = 52
