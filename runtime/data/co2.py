"""CO2 over Mauna Loa by the week, from statsmodels."""

from __future__ import annotations

from statsmodels.datasets import co2

from compiler.tasks.data.co2 import Co2
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.series import filled, series


def load(options: Co2, section: DataSection) -> DataSplits:
    """The series, its end held out; the 59 missing weeks lie on straight lines between their neighbours."""
    values = co2.load_pandas().data["co2"].to_numpy(dtype=float)
    return series(filled(values)[:, None], ["co2"], options, section)
