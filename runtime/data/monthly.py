"""Three series by the month, from statsmodels."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from statsmodels.datasets import co2, elec_equip, elnino

from compiler.tasks.data.monthly import Monthly
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.dates import Step, calendar_columns
from runtime.data.series import Series, series


def load(options: Monthly, section: DataSection) -> DataSplits:
    """The series, each with its end held out; missing months of CO2 are interpolated."""
    weeks = co2.load_pandas().data["co2"]
    carbon = weeks.resample("MS").mean().to_numpy(dtype=float)
    sea = elnino.load_pandas().data.to_numpy(dtype=float)[:, 1:].ravel()
    turnover = elec_equip.load_pandas().data.to_numpy(dtype=float)[:, 0]
    parts = [
        _monthly("co2", carbon, datetime(1958, 3, 1), options),
        _monthly("sea", sea, datetime(1950, 1, 1), options),
        _monthly("turnover", turnover, datetime(1995, 1, 1), options),
    ]
    return series(parts, options, section)


def _monthly(
    name: str, values: NDArray[np.float64], first: datetime, options: Monthly
) -> Series:
    """A series with a value in each month, and its calendar."""
    step = Step(months=1)
    dates = [first, *step.after(first, len(values) - 1)]
    columns = calendar_columns(dates, options.calendar_parts)
    return Series(np.column_stack([values, columns]), name, dates, step)
