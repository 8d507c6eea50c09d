"""Three series by the month that come with statsmodels: CO2, the sea's temperature, and a turnover.

CO2 over Mauna Loa (1958 to 2001), the surface temperature of the sea in the region Nino 1+2 (1950 to 2010), and the
turnover of makers of electrical equipment in the euro area (1995 to 2016): 1,515 values.
"""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import Form
from compiler.tasks.formulas import Whole
from compiler.tasks.series_data import CalendarPart, SeriesData


class Monthly(SeriesData):
    """Options of the series; the month of the year is known of the future, too.

    A CSV file to predict from has the columns `series`, `date` and `value`.
    """

    name: ClassVar[str] = "monthly"
    forms: ClassVar[tuple[Form, ...]] = ("series",)

    length: Whole = 36
    horizon: Whole = 12
    season: Whole = 12

    @property
    def targets(self) -> tuple[str, ...]:
        return ("value",)

    @property
    def calendar_parts(self) -> tuple[CalendarPart, ...]:
        return ("month",)

    @property
    def several(self) -> bool:
        return True
