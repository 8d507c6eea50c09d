"""Forecasting: the next values of a series."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from compiler.ir.typed import Instance
from compiler.language.model import fault
from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.list_options import AS_TUPLE
from compiler.tasks.metrics import Better
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task

MEDIAN: Final = 0.5


class Forecasting(Task):
    """The next values of one or several series from those before them.

    Inputs and outputs are standardised by the mean and the standard deviation of the
    training part, of each series by itself. Errors are reported in the units of the series,
    of several series also divided by the mean error of the seasonal baseline in the training
    part (`mase`; Hyndman and Koehler, 2006). The final evaluation adds baselines: the last
    value (`.last`), the value one season earlier (`.seasonal`), and a linear model of the
    same inputs for each series (`.linear`). With `quantiles` the loss is the quantile loss
    (pinball loss; Koenker and Bassett, 1978), the forecast is the median, and `coverage` is the
    fraction of values from the lowest to the highest quantile. `predict` writes a CSV file with `-o`.

    Attributes:
        loss: mean squared error, mean absolute error, or Huber's.
        quantiles: the quantiles to forecast, such as [0.1, 0.5, 0.9], with 0.5 among them; default: one value.
    """

    forms: ClassVar[tuple[Form, ...]] = ("series",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role(
            "past",
            "input",
            "float[B, T, C]",
            "the input window: columns to forecast, observed columns, known columns",
        ),
        Role(
            "known",
            "input",
            "float[B, horizon, K]",
            "the known columns at the times to forecast",
            optional=True,
        ),
        Role(
            "series", "input", "int[B]", "number of the series, from 0", optional=True
        ),
        Role(
            "forecast",
            "output",
            "float[B, horizon, columns]",
            "what comes next; with quantiles float[B, horizon, columns, quantiles]; a horizon of 1 may lack",
        ),
    )
    metric: ClassVar[str] = "mae"

    example: ClassVar[str] = """\
kind: forecasting
data: {csv: {path: load.csv, columns: [load], time: hour, calendar: [hour, weekday], horizon: 24, season: 24}}
quantiles: [0.1, 0.5, 0.9]
early_stopping: {patience: 10}
"""

    kind: Literal["forecasting"]
    loss: Literal["mse", "mae", "huber"] = "mse"
    quantiles: Annotated[
        tuple[Annotated[float, Field(gt=0, lt=1)], ...],
        AS_TUPLE,
    ] = ()

    @model_validator(mode="after")
    def _quantiles(self) -> Self:
        """Check that quantiles ascend, have the median, and are all of the loss."""
        if not self.quantiles:
            return self
        if "loss" in self.model_fields_set:
            message = "with `quantiles` the loss is the quantile loss"
            raise fault("bad-value", message, at=("loss",), key=True)
        if any(low >= high for low, high in pairwise(self.quantiles)):
            raise fault("bad-value", "quantiles ascend", at=("quantiles",))
        if MEDIAN not in self.quantiles:
            message = "0.5 must be among the quantiles: it is the forecast"
            raise fault("bad-value", message, at=("quantiles",))
        return self

    @property
    def best_metric(self) -> tuple[str, Better]:
        """The error in units of the series; of several series, which have others, the scaled one."""
        several = getattr(self.data, "several", False)
        return ("mase" if several else self.metric), self.better

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        check.input(net, "past", "float", (FREE, facts.length, facts.features))
        used = ["past", *self._check_optional(check, net, facts)]
        check.fed(net, used)
        quantiles = (len(self.quantiles),) if self.quantiles else ()
        sizes = (len(facts.targets) or None, *quantiles)
        ranks = [kind.rank for kind in net.outputs.values()]
        flat = facts.horizon == 1 and 1 + len(sizes) in ranks
        steps = () if flat else (facts.horizon,)
        check.output(net, "forecast", "float", (FREE, *steps, *sizes))

    def _check_optional(
        self, check: PortCheck, net: Instance, facts: DataFacts
    ) -> list[str]:
        """The optional roles that the data can feed, of those that the network has."""
        used = []
        if facts.known and self.has(net.scope.inputs, "known"):
            check.input(net, "known", "float", (FREE, facts.horizon, facts.known))
            used.append("known")
        if facts.series != 1 and self.has(net.scope.inputs, "series"):
            port = check.input(net, "series", "int", (FREE,))
            if port:
                check.tokens(net, port, facts.series, self.data.name, "series")
            used.append("series")
        return used
