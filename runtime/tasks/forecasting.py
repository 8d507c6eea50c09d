"""Forecasting: the next values of a time series."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.kinds.forecasting import Forecasting
from runtime.data.dataset import Batch
from runtime.tasks.learner import Learner
from runtime.tasks.user_inputs import read_past

_LOSSES: Final[Mapping[str, Callable[..., Tensor]]] = {
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "huber": F.huber_loss,
}


class ForecastingLearner(Learner[Forecasting]):
    """Trains a network to predict the next values of a time series."""

    needs_inputs = False  # without a file, the end of the data is continued

    def num_items(self, batch: Batch) -> int:
        """The number of values to predict."""
        return batch["future"].numel()

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        return self._loss(self.forecast(batch["past"]), batch["future"])

    def _loss(self, forecast: Tensor, target: Tensor) -> Tensor:
        """The task's loss, summed over all values."""
        return _LOSSES[self.task.loss](forecast, target, reduction="sum")

    def forecast(self, past: Tensor) -> Tensor:
        """Forecasts [B, horizon, C] from past values [B, T, C], both standardised."""
        output = self.output("", "forecast", past=past)
        return output.unsqueeze(1) if output.dim() == 2 else output

    @property
    def scale(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each column [C] in the training data; float64."""
        mean, std = (
            torch.tensor(self.metadata[name], dtype=torch.float64)
            for name in ("mean", "std")
        )
        return mean, std

    def unscale(self, values: Tensor) -> Tensor:
        """Standardised values [..., C] in the units of the series; float64, on the CPU."""
        mean, std = self.scale
        return values.double().cpu() * std + mean

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The mean loss, and the mean absolute and root mean squared errors in the units of the series.

        Series with several columns also have both errors for each column. The final
        evaluation adds the errors of the baselines (`baseline_forecasts`).
        """
        loss, count = 0.0, 0
        errors: dict[str, list[Tensor]] = {}
        for batch in batches:
            forecast, target = self.forecast(batch["past"]), batch["future"]
            loss += float(self._loss(forecast, target))
            count += target.numel()
            baselines = baseline_forecasts(batch) if final else {}
            for name, values in {"": forecast, **baselines}.items():
                error = self.unscale(values) - self.unscale(target)
                errors.setdefault(name, []).append(error.flatten(0, 1))
        metrics = {"loss": loss / count}
        for name, parts in errors.items():
            metrics |= self._error_metrics(name, torch.cat(parts))
        return metrics

    def _error_metrics(self, baseline: str, errors: Tensor) -> dict[str, float]:
        """The metrics of errors [N, C]; names end with the baseline's, "" for the network."""
        columns = self.metadata["columns"]
        sizes = {"mae": errors.abs(), "rmse": errors.square()}
        metrics = {}
        for metric, size in sizes.items():
            means = {"": size.mean()}
            if len(columns) > 1:
                means |= dict(zip(columns, size.mean(0), strict=True))
            for column, mean in means.items():
                name = ".".join(filter(None, (column, metric, baseline)))
                metrics[name] = float(mean.sqrt() if metric == "rmse" else mean)
        return metrics

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """A plot of the held-out series with its forecasts, one for each `horizon` times."""
        from runtime.plots.forecast import forecast_png

        pairs = [(batch["future"], self.forecast(batch["past"])) for batch in batches]
        target, forecast = (torch.cat(part) for part in zip(*pairs, strict=True))
        horizon = target.shape[1]
        target, forecast = (
            self.unscale(part[::horizon].flatten(0, 1)) for part in (target, forecast)
        )
        plot = forecast_png(target, forecast, self.metadata["columns"], horizon)
        return {f"epoch-{epoch:03}.png": plot}

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """A forecast for each CSV file of past values; without files, for the end of the data.

        Raises:
            RequestError, SpecError: if a file does not exist, lacks a column, or is too short.
        """
        return [self._predict_file(file) for file in inputs or ("",)]

    def _predict_file(self, file: str) -> dict[str, Any]:
        columns, length = self.metadata["columns"], self.task.facts().length
        past = read_past(file, columns, length) if file else self.metadata["end"]
        mean, std = self.scale
        values = torch.tensor(past, dtype=torch.float64)
        scaled = ((values - mean) / std).float().to(self.device)
        forecast = self.unscale(self.forecast(scaled[None])[0])
        by_column = dict(zip(columns, forecast.T.tolist(), strict=True))
        return (
            {"input": file, "forecast": by_column} if file else {"forecast": by_column}
        )


def repeat_last_value(past: Tensor, horizon: int) -> Tensor:
    """A forecast that nothing changes: past values [B, T, C] -> [B, horizon, C]."""
    return past[:, -1:].expand(-1, horizon, -1)


def baseline_forecasts(batch: Batch) -> dict[str, Tensor]:
    """Forecasts without a network [B, horizon, C]: `last`, and `seasonal` if the series has a season."""
    baselines = {"last": repeat_last_value(batch["past"], batch["future"].shape[1])}
    if "seasonal" in batch:
        baselines["seasonal"] = batch["seasonal"]
    return baselines
