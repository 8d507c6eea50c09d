"""Regression: numbers for images, sequences, texts or rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from compiler.tasks.kinds.regression import Regression
from runtime.data.dataset import Batch
from runtime.tasks.output_metrics import number_metrics
from runtime.tasks.supervised_learner import SupervisedLearner


class RegressionLearner(SupervisedLearner[Regression]):
    """Trains a network to predict numbers."""

    predicted: Tensor | None = None
    """What the last evaluation predicted, float64[N, targets], in the units of the numbers."""
    target: Tensor | None = None
    """What was to be predicted in it."""

    def own_losses(self, output: Tensor, batch: Batch) -> Tensor:
        loss = self.task.loss
        return loss.weight * self.losses_of(loss, output, batch)

    @cached_property
    def own_columns(self) -> list[int]:
        """The numbers that the task predicts, among all that the data has."""
        return self.columns_of(self.task.loss)

    @property
    def names(self) -> list[str]:
        """The names of the numbers that the task predicts."""
        return [self.scales[i].name for i in self.own_columns]

    def measured(self, output: Tensor, answers: Batch) -> tuple[Tensor, Tensor]:
        """Predicted and true numbers float64[N, targets] in their own units."""
        target = self.answer_of(self.task.loss, answers)
        return (
            self.unscale(output.view_as(target), self.own_columns),
            self.unscale(target, self.own_columns),
        )

    def own_metrics(self, output: Tensor, answers: Batch) -> dict[str, float]:
        """The mean loss, and `mae`, `rmse` and `r2` in the units of the numbers."""
        loss = float(self.own_losses(output, answers).mean())
        self.predicted, self.target = self.measured(output, answers)
        return {"loss": loss, **self._metrics("", self.predicted, self.target)}

    def baselines(self, answers: Batch) -> dict[str, float]:
        """The metrics of the mean of the training part, and for tables of models of scikit-learn."""
        target = self.answer_of(self.task.loss, answers)
        found = {"mean": torch.zeros_like(target)}
        if self.data is not None and self.data.facts.form == "tables":
            from runtime.tasks.table_baselines import number_predictions

            predicted = number_predictions(self.data, self.own_columns)
            found |= {name: torch.from_numpy(one) for name, one in predicted.items()}
        truth = self.unscale(target, self.own_columns)
        metrics: dict[str, float] = {}
        for name, one in found.items():
            metrics |= self._metrics(name, self.unscale(one, self.own_columns), truth)
        return metrics

    def _metrics(
        self, baseline: str, predicted: Tensor, target: Tensor
    ) -> dict[str, float]:
        """The metrics of predictions [N, targets]: means over the numbers, and those of each if there are several.

        Names end with the baseline's, "" for the network.
        """
        found = {}
        for metric, values in number_metrics(predicted, target).items():
            named = {"": float(values.mean())}
            if len(values) > 1:
                named |= dict(zip(self.names, values.tolist(), strict=True))
            for name, value in named.items():
                found[".".join(filter(None, (name, metric, baseline)))] = value
        return found

    def plots(self) -> dict[str, bytes]:
        """A plot of predicted against true numbers."""
        if self.predicted is None or self.target is None:
            return {}
        from runtime.plots.predicted_numbers import predicted_png

        return {"predicted.png": predicted_png(self.predicted, self.target, self.names)}

    def predictions(self, output: Tensor) -> list[dict[str, Any]]:
        """The numbers of each example by name, in their own units."""
        columns = output.unsqueeze(1) if output.dim() == 1 else output
        rows: Sequence[list[float]] = self.unscale(columns, self.own_columns).tolist()
        return [dict(zip(self.names, row, strict=True)) for row in rows]
