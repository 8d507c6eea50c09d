"""Sunspots by the year, 1700 to 2008: 309 values that come with statsmodels."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import Form
from compiler.tasks.formulas import Whole
from compiler.tasks.series_data import SeriesData


class Sunspots(SeriesData):
    """Options of the series."""

    name: ClassVar[str] = "sunspots"
    forms: ClassVar[tuple[Form, ...]] = ("series",)

    length: Whole = 22
    season: Whole = 11
