"""Forecasting: the next values of a series."""

from __future__ import annotations

from typing import ClassVar, Literal

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.ports import FREE, PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.task import Task


class Forecasting(Task):
    """The next values of a series from those before them.

    Inputs and outputs are standardised by the mean and the standard deviation of the
    training part. Errors are reported in the units of the series, beside two baselines:
    the last value, and the value one season earlier.

    Attributes:
        loss: mean squared error, mean absolute error, or Huber's.
    """

    forms: ClassVar[tuple[Form, ...]] = ("series",)
    roles: ClassVar[tuple[Role, ...]] = (
        Role("past", "input", "float[B, T, C]", "the input window"),
        Role(
            "forecast",
            "output",
            "float[B, horizon, C]",
            "what comes next; with a horizon of 1 also float[B, C]",
        ),
    )
    metric: ClassVar[str] = "mae"

    example: ClassVar[str] = """\
kind: forecasting
data: {sunspots: {length: 22, horizon: 1}}
loss: huber
early_stopping: {patience: 10}
"""

    kind: Literal["forecasting"]
    loss: Literal["mse", "mae", "huber"] = "mse"

    def fits(self, check: PortCheck, facts: DataFacts) -> None:
        net = check.network()
        if net is None:
            return
        check.input(net, "past", "float", (FREE, None, facts.features))
        check.fed(net, ("past",))
        horizon = self.facts().horizon
        flat = horizon == 1 and any(kind.rank == 2 for kind in net.outputs.values())
        steps = () if flat else (horizon,)
        check.output(net, "forecast", "float", (FREE, *steps, facts.features))
