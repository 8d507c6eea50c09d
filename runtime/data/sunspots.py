"""Sunspots by the year, from statsmodels."""

from __future__ import annotations

from statsmodels.datasets import sunspots

from compiler.tasks.data.sunspots import Sunspots
from runtime.data.dataset import Data
from runtime.data.place import Place
from runtime.data.series import series


def load(options: Sunspots, place: Place) -> Data:
    """The series, its end held out."""
    values = sunspots.load_pandas().data["SUNACTIVITY"].to_numpy(dtype=float)
    return series(values[:, None], ["sunspots"], options, place)
