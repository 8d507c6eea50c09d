"""Dates of a series: read, evenly spaced, continued, and as numbers of a calendar."""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from compiler.tasks.series_data import CalendarPart

_YEAR: Final = re.compile(r"\d{4}")
_MONTH: Final = re.compile(r"\d{4}-\d{2}")
_LAST_YEAR: Final = 9000


def read_date(text: str) -> datetime | None:
    """A date of the forms of ISO 8601, also a year or a month alone; in UTC where it has an offset. None: no date.

    >>> read_date("2024-03")
    datetime.datetime(2024, 3, 1, 0, 0)
    """
    text = text.replace("/", "-")
    if _YEAR.fullmatch(text):
        text = f"{text}-01-01"
    elif _MONTH.fullmatch(text):
        text = f"{text}-01"
    try:
        date = datetime.fromisoformat(text)
        if date.tzinfo is not None:
            date = date.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return date if date.year < _LAST_YEAR else None


@dataclass(frozen=True)
class Step:
    """The time between two dates of a series: some months, or some seconds.

    Attributes:
        months: number of months; 0: it is of seconds.
        seconds: number of seconds.
        day: the day of the month, of months; 31: the last one.
    """

    months: int = 0
    seconds: float = 0.0
    day: int = 1

    @classmethod
    def of(cls, dates: Sequence[datetime]) -> Self | int:
        """The step of dates; where they are not evenly spaced, the number of the first date that is out of step."""
        months = _months_of(dates)
        if months is not None:
            step = cls(*months)
        else:
            gaps = [later - early for early, later in pairwise(dates)]
            step = cls(seconds=sorted(gaps)[len(gaps) // 2].total_seconds())
        for number, (early, later) in enumerate(pairwise(dates), 1):
            if later <= early or step.after(early, 1)[0] != later:
                return number
        return step

    def after(self, date: datetime, count: int) -> list[datetime]:
        """The next dates."""
        if self.months:
            first = date.year * 12 + date.month - 1
            return [
                self._in_month(date, first + self.months * k)
                for k in range(1, count + 1)
            ]
        return [date + timedelta(seconds=self.seconds * k) for k in range(1, count + 1)]

    def _in_month(self, date: datetime, month: int) -> datetime:
        year, month = month // 12, month % 12 + 1
        day = min(self.day, calendar.monthrange(year, month)[1])
        return date.replace(year=year, month=month, day=day)


def _months_of(dates: Sequence[datetime]) -> tuple[int, float, int] | None:
    """The arguments of a step of months, if most of the dates have the same day and time, or are last days."""
    days = {date.day for date in dates}
    last = all(
        date.day == calendar.monthrange(date.year, date.month)[1] for date in dates
    )
    if len({date.time() for date in dates}) > 1 or (len(days) > 1 and not last):
        return None
    numbers = [date.year * 12 + date.month for date in dates]
    gaps = sorted(later - early for early, later in pairwise(numbers))
    months = gaps[len(gaps) // 2]
    return (months, 0.0, max(days)) if months > 0 else None


_PERIODS: Final = {"hour": 24.0, "weekday": 7.0, "month": 12.0, "yearday": 365.25}


def calendar_columns(
    dates: Sequence[datetime], parts: Sequence[CalendarPart]
) -> NDArray[np.float64]:
    """The sine and the cosine of each part of dates, float[N, 2 parts]: after a period they are the same again."""
    angles = [
        [2 * math.pi * _part(date, part) / _PERIODS[part] for part in parts]
        for date in dates
    ]
    turned = np.array(angles).reshape(len(dates), len(parts))
    both = np.stack([np.sin(turned), np.cos(turned)], 2)
    return both.reshape(len(dates), 2 * len(parts))


def _part(date: datetime, part: CalendarPart) -> float:
    match part:
        case "hour":
            return date.hour + date.minute / 60
        case "weekday":
            return date.weekday()
        case "month":
            return date.month - 1
        case "yearday":
            return date.timetuple().tm_yday - 1
