"""What data sets of series share: the windows, the season, and the columns of a time."""

from __future__ import annotations

from typing import Literal

from compiler.tasks.data_facts import DataFacts
from compiler.tasks.data_set import DataSet
from compiler.tasks.formulas import Share, Whole
from compiler.tasks.list_options import names_of

CalendarPart = Literal["hour", "weekday", "month", "yearday"]
"""A part of a date that repeats."""


class SeriesData(DataSet):
    """Options of series.

    Attributes:
        length: length of the input window.
        horizon: number of times to forecast.
        season: period of the seasonal baseline.
        held_out: fraction at the end of each series that is held out; 0: train on everything, without evaluations.
    """

    length: Whole = 24
    horizon: Whole = 1
    season: Whole = 1
    held_out: Share = 0.2

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the columns to forecast."""
        return (self.name,)

    @property
    def observed_columns(self) -> tuple[str, ...]:
        """Names of the columns that are only known of the past."""
        return names_of(getattr(self, "observed", ()))

    @property
    def known_columns(self) -> tuple[str, ...]:
        """Names of the columns that are known of the future, too."""
        return names_of(getattr(self, "known", ()))

    @property
    def calendar_parts(self) -> tuple[CalendarPart, ...]:
        """The parts of the date that are columns, two for each: its sine and cosine."""
        parts: tuple[CalendarPart, ...] = getattr(self, "calendar", ())
        return parts

    @property
    def several(self) -> bool:
        """Whether there are several series."""
        return False

    def facts(self) -> DataFacts:
        known = len(self.known_columns) + 2 * len(self.calendar_parts)
        return DataFacts(
            "series",
            features=len(self.targets) + len(self.observed_columns) + known,
            targets=self.targets,
            known=known,
            series=None if self.several else 1,
            length=self.length,
            horizon=self.horizon,
        )
