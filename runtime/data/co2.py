"""Weekly atmospheric CO2 at Mauna Loa, from statsmodels."""

from __future__ import annotations

from statsmodels.datasets import co2

from compiler.tasks.data.co2 import Co2
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.series import Series, series


def load(options: Co2, section: DataSection) -> DataSplits:
    """The series with its end held out; the 59 missing weeks are interpolated."""
    values = co2.load_pandas().data["co2"].to_numpy(dtype=float)
    return series([Series(values[:, None])], options, section)
