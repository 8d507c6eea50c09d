"""Columns of a CSV file as series, one line for each time."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from compiler.language.model import fault
from compiler.tasks.data_facts import Form
from compiler.tasks.data_set import File
from compiler.tasks.list_options import AS_TUPLE, Names
from compiler.tasks.series_data import CalendarPart, SeriesData
from compiler.tasks.splits import OwnFiles


class Csv(OwnFiles, SeriesData):
    """Options of a CSV file; missing values are interpolated linearly.

    Each column of each series is standardised by itself, by what is not held out of it. A line has one time of one
    series; the lines of a series are in the order of time. `observed` and `known` are further inputs; those that are
    known of the future, such as holidays, a network also has for the times to forecast, in its input `known`.

    Attributes:
        path: the file; its first line names the columns.
        columns: the columns to forecast.
        time: column of dates, as 2024-03-31 or 2024-03-31 13:00; they must be evenly spaced.
        series: column with the name of the series of each line; default: all lines are one series.
        observed: columns that are inputs, and not known of the future.
        known: columns that are inputs, and known of the future.
        calendar: parts of the date that are inputs, and known of the future: hour, weekday, month or yearday (the day
            of the year); each is two columns, a sine and a cosine.
    """

    name: ClassVar[str] = "csv"
    forms: ClassVar[tuple[Form, ...]] = ("series",)

    path: File
    columns: Annotated[
        tuple[str, ...],
        AS_TUPLE,
    ] = Field(min_length=1)
    time: str | None = None
    series: str | None = None
    observed: Names = ()
    known: Names = ()
    calendar: Annotated[
        tuple[CalendarPart, ...],
        AS_TUPLE,
    ] = ()

    @model_validator(mode="after")
    def _used_once(self) -> Self:
        """Check that no column has two uses, and that there are dates for the calendar."""
        if self.calendar and self.time is None:
            message = "`calendar` needs the column of the dates: `time`"
            raise fault("missing-key", message, at=("calendar",), key=True)
        uses = {
            "time": (self.time,),
            "series": (self.series,),
            "columns": self.columns,
            "observed": self.observed_columns,
            "known": self.known_columns,
        }
        used: set[str] = set()
        for option, names in uses.items():
            for name in filter(None, names):
                if name in used:
                    raise fault("bad-value", f"{name} is named twice", at=(option,))
                used.add(name)
        return self

    @property
    def targets(self) -> tuple[str, ...]:
        return self.columns

    @property
    def several(self) -> bool:
        return self.series is not None
