"""Regression: numbers for images, sequences, texts or rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from compiler.tasks.kinds.regression import Regression
from compiler.tasks.ports import bound
from runtime.data.dataset import Batch
from runtime.data.table_columns import NumberColumn
from runtime.tasks.example_losses import example_losses
from runtime.tasks.supervised_learner import SupervisedLearner


class RegressionLearner(SupervisedLearner[Regression]):
    """Trains a network to predict numbers."""

    predicted: Tensor | None = None
    """What the last evaluation predicted, float64[N, targets], in the units of the numbers."""
    target: Tensor | None = None
    """What was to be predicted in it."""

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        return self._losses(self.prediction(batch), batch["target"]).sum()

    def _losses(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss of each example [B]."""
        loss = self.task.loss
        return loss.weight * example_losses(loss, prediction, target)

    def prediction(self, batch: Batch) -> Tensor:
        """The predicted numbers [B, targets], standardised."""
        outputs = self.outputs(batch)
        output = outputs[bound(outputs, "prediction", self.task.ports)]
        return output.unsqueeze(1) if output.dim() == 1 else output

    @cached_property
    def scales(self) -> list[NumberColumn]:
        """Name, mean and standard deviation of each number."""
        return [NumberColumn.model_validate(one) for one in self.metadata["targets"]]

    def unscale(self, values: Tensor) -> Tensor:
        """Standardised numbers [N, targets] in their own units; float64, on the CPU."""
        mean, std = (
            torch.tensor(
                [getattr(one, name) for one in self.scales], dtype=torch.float64
            )
            for name in ("mean", "std")
        )
        return values.double().cpu() * std + mean

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The mean loss, and `mae`, `rmse` and `r2` in the units of the numbers.

        The final evaluation adds those of the baselines: `mean`, and for tables `linear` and `boosting`.
        """
        loss = 0.0
        pairs: list[tuple[Tensor, Tensor]] = []
        for batch in batches:
            prediction, target = self.prediction(batch), batch["target"]
            loss += float(self._losses(prediction, target).sum())
            pairs.append((prediction, target))
        self.predicted, self.target = (
            self.unscale(torch.cat(part)) for part in zip(*pairs, strict=True)
        )
        metrics = {"loss": loss / len(self.target)}
        metrics |= self._metrics("", self.predicted, self.target)
        for name, predicted in (self._baselines(self.target) if final else {}).items():
            metrics |= self._metrics(name, predicted, self.target)
        return metrics

    def _baselines(self, target: Tensor) -> dict[str, Tensor]:
        """Predictions of models without a network [N, targets], in the units of the numbers."""
        found = {"mean": torch.zeros_like(target)}
        if self.data is not None and self.data.facts.form == "tables":
            from runtime.tasks.table_baselines import number_predictions

            predicted = number_predictions(self.data)
            found |= {name: torch.from_numpy(one) for name, one in predicted.items()}
        return {name: self.unscale(one) for name, one in found.items()}

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
                names = [one.name for one in self.scales]
                named |= dict(zip(names, values.tolist(), strict=True))
            for name, value in named.items():
                found[".".join(filter(None, (name, metric, baseline)))] = value
        return found

    def plots(self) -> dict[str, bytes]:
        """A plot of predicted against true numbers."""
        if self.predicted is None or self.target is None:
            return {}
        from runtime.plots.predicted_numbers import predicted_png

        names = [one.name for one in self.scales]
        return {"predicted.png": predicted_png(self.predicted, self.target, names)}

    def predictions(self, batch: Batch) -> list[dict[str, Any]]:
        """The numbers of each example by name, in their own units."""
        rows: Sequence[list[float]] = self.unscale(self.prediction(batch)).tolist()
        names = [one.name for one in self.scales]
        return [dict(zip(names, row, strict=True)) for row in rows]


def number_metrics(predicted: Tensor, target: Tensor) -> dict[str, Tensor]:
    """Mean absolute error, root mean squared error and R² of each number [targets].

    R² is the fraction of the variance that predictions explain: 1 at best, 0 for the mean of the evaluated part,
    and for numbers that are all the same.

    Args:
        predicted, target: float64[N, targets].
    """
    error = predicted - target
    squares = error.square().sum(0)
    variation = (target - target.mean(0)).square().sum(0)
    explained = torch.where(variation > 0, 1 - squares / variation, 0.0)
    return {
        "mae": error.abs().mean(0),
        "rmse": (squares / len(target)).sqrt(),
        "r2": explained,
    }
