"""Yearly sunspot numbers, from statsmodels."""

from __future__ import annotations

from statsmodels.datasets import sunspots

from compiler.tasks.data.sunspots import Sunspots
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.series import Series, series


def load(options: Sunspots, section: DataSection) -> DataSplits:
    """The series with its end held out."""
    values = sunspots.load_pandas().data["SUNACTIVITY"].to_numpy(dtype=float)
    return series([Series(values[:, None])], options, section)
