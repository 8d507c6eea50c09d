"""Regression: numbers for an image, a sequence, a text or a row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from compiler.ir.typed import Instance
from compiler.tasks.data_facts import Answer, DataFacts
from compiler.tasks.example_inputs import INPUTS
from compiler.tasks.losses import Loss, SquaredError
from compiler.tasks.metrics import Better
from compiler.tasks.ports import PortCheck
from compiler.tasks.roles import Role
from compiler.tasks.supervised import Supervised, check_output


class Regression(Supervised):
    """One or several numbers for an image, a sequence, a text or a row of a table.

    Numbers are standardised by the mean and the standard deviation of the training part;
    errors are reported in their own units: `mae`, `rmse` and `r2`, for each number if there are
    several. The final evaluation adds baselines: the mean of the training part (`.mean`),
    and for tables a linear model (`.linear`) and gradient boosting (`.boosting`).

    Attributes:
        loss: the loss of standardised numbers: mse, mae or huber.
    """

    answer: ClassVar[Answer] = "numbers"
    measured: ClassVar[Mapping[str, Better]] = {
        "loss": "lower",
        "mae": "lower",
        "rmse": "lower",
        "r2": "higher",
    }
    output: ClassVar[str] = "prediction"
    roles: ClassVar[tuple[Role, ...]] = (
        *INPUTS,
        Role(
            "prediction",
            "output",
            "float[B, targets]",
            "the numbers, standardised; for one number also float[B]",
        ),
    )

    example: ClassVar[str] = """\
kind: regression
data: {table: {path: houses.csv, target: price}}
loss: huber
"""

    kind: Literal["regression"]
    loss: Loss = Field(default_factory=SquaredError)

    def check_outputs(self, check: PortCheck, net: Instance, facts: DataFacts) -> None:
        self.check_loss(check, self.loss)
        if self.check_targets(check, self.loss, facts, ("loss",)):
            check_output(check, net, "prediction", self.loss, facts)
