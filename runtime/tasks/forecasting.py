"""Forecasting: the next values of one or several time series."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.kinds.forecasting import MEDIAN, Forecasting
from compiler.tasks.series_data import SeriesData
from runtime.data.dataset import Batch, DataSplits
from runtime.data.series import standardised
from runtime.tasks.learner import Learner
from runtime.tasks.series_baselines import linear_forecasts, repeat_last_value
from runtime.tasks.series_inputs import SeriesInput, end_of_data, read_past

_LOSSES: Final[Mapping[str, Callable[..., Tensor]]] = {
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "huber": F.huber_loss,
}
_PANELS: Final = 8
"""Maximum number of series in a plot."""


@dataclass(frozen=True)
class _Forecasts:
    """The forecasts of all held-out windows, standardised, on the CPU.

    Attributes:
        future: true values [N, horizon, targets].
        forecast: forecasts [N, horizon, targets], with quantiles [N, horizon, targets, Q].
        series: the number of the series of each, int[N].
        seasonal, last: forecasts of baselines [N, horizon, targets].
    """

    future: Tensor
    forecast: Tensor
    series: Tensor
    seasonal: Tensor
    last: Tensor


class ForecastingLearner(Learner[Forecasting]):
    """Trains a network to predict the next values of time series."""

    needs_inputs = False  # without a file, the end of the data is continued
    data: DataSplits | None = None
    """The data, once `setup` was called."""

    def setup(self, data: DataSplits) -> None:
        self.data = data

    def num_items(self, batch: Batch) -> int:
        """The number of values to predict."""
        return batch["future"].numel()

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        return self._loss(self.forecast(batch), batch["future"])

    def _loss(self, forecast: Tensor, target: Tensor) -> Tensor:
        """The task's loss, summed over all values; of quantiles their mean."""
        if self.task.quantiles:
            return quantile_loss(forecast, target, self.task.quantiles)
        return _LOSSES[self.task.loss](forecast, target, reduction="sum")

    def forecast(self, batch: Batch) -> Tensor:
        """Forecasts [B, horizon, targets], or [B, horizon, targets, quantiles]; standardised."""
        inputs = self.instances[""].scope.inputs
        roles = {"past": batch["past"]}
        for role in ("known", "series"):
            if role in batch and self.task.has(inputs, role):
                roles[role] = batch[role]
        output = self.output("", "forecast", **roles)
        rank = 4 if self.task.quantiles else 3
        return output.unsqueeze(1) if output.dim() < rank else output

    def median(self, forecast: Tensor) -> Tensor:
        """The median of forecasts [..., targets, quantiles]; without quantiles, the forecasts."""
        quantiles = self.task.quantiles
        return forecast[..., quantiles.index(MEDIAN)] if quantiles else forecast

    @property
    def described(self) -> list[dict[str, Any]]:
        """What the run stores of each series."""
        found: list[dict[str, Any]] = self.metadata["series"]
        return found

    def scale(self, name: str) -> Tensor:
        """`mean`, `std` or `error` of each series and column to forecast [S, targets]; float64."""
        count = len(self.metadata["columns"])
        rows = [one[name][:count] for one in self.described]
        return torch.tensor(rows, dtype=torch.float64)

    def unscale(self, values: Tensor, series: Tensor) -> Tensor:
        """Standardised values [N, horizon, targets] of series int[N] in their units; float64, on the CPU."""
        mean, std = (self.scale(name)[series.cpu(), None] for name in ("mean", "std"))
        return values.double().cpu() * std + mean

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The mean loss, and the mean absolute and root mean squared errors in the units of the series.

        Several columns or series also have both errors for each of them, and several series the scaled error
        `mase`. The final evaluation adds the errors of the baselines.
        """
        held_out = list(batches)
        found = self._collect(held_out)
        loss = float(self._loss(found.forecast, found.future))
        metrics = {"loss": loss / found.future.numel()}
        if self.task.quantiles:
            inside = (found.forecast[..., 0] <= found.future) & (
                found.future <= found.forecast[..., -1]
            )
            metrics["coverage"] = float(inside.double().mean())
        forecasts = {"": self.median(found.forecast)}
        if final:
            forecasts["last"] = found.last
            if self.metadata["season"]:
                forecasts["seasonal"] = found.seasonal
            if self.data is not None:
                forecasts["linear"] = linear_forecasts(self.data.train, held_out)
        truth = self.unscale(found.future, found.series)
        for name, values in forecasts.items():
            errors = self.unscale(values, found.series) - truth
            metrics |= self._error_metrics(name, errors, found.series)
        return metrics

    def _collect(self, batches: Iterable[Batch]) -> _Forecasts:
        rows: list[tuple[Tensor, ...]] = []
        for batch in batches:
            future = batch["future"]
            series = batch.get("series", torch.zeros(len(future), dtype=torch.int64))
            baselines = batch.get("seasonal", future), repeat_last_value(batch)
            row = (future, self.forecast(batch), series, *baselines)
            rows.append(tuple(one.cpu() for one in row))
        return _Forecasts(*map(torch.cat, zip(*rows, strict=True)))

    def _error_metrics(
        self, baseline: str, errors: Tensor, series: Tensor
    ) -> dict[str, float]:
        """The metrics of errors [N, horizon, targets]; names end with the baseline's, "" for the network."""
        metrics = {}
        for group, part in self._groups(errors, series):
            sizes = {"mae": part.abs().mean(), "rmse": part.square().mean().sqrt()}
            for metric, value in sizes.items():
                metrics[_dotted(group, metric, baseline)] = float(value)
        if len(self.described) > 1:
            scaled = errors.abs() / self.scale("error")[series, None]
            metrics[_dotted("mase", baseline)] = float(scaled.mean())
        return metrics

    def _groups(self, errors: Tensor, series: Tensor) -> Iterator[tuple[str, Tensor]]:
        """All errors, those of each series, and of each column, if there are several; by name."""
        yield "", errors
        columns = self.metadata["columns"]
        if len(self.described) > 1:
            for number, one in enumerate(self.described):
                if (series == number).any():
                    yield one["name"], errors[series == number]
        if len(columns) > 1:
            for number, name in enumerate(columns):
                yield name, errors[..., number]

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """A plot of the held-out series with their forecasts, one for each `horizon` times."""
        from runtime.plots.forecast import Panel, forecast_png

        found = self._collect(batches)
        horizon, columns = found.future.shape[1], self.metadata["columns"]
        panels = []
        for number, one in enumerate(self.described):
            rows = (found.series == number).nonzero().flatten()[::horizon]
            if not len(rows):
                continue
            future, forecast = found.future[rows], found.forecast[rows]
            lines = [future, self.median(forecast)]
            if self.task.quantiles:
                lines += [forecast[..., 0], forecast[..., -1]]
            lines = [
                self.unscale(line, found.series[rows]).flatten(0, 1) for line in lines
            ]
            for at, column in enumerate(columns):
                name = _dotted(one["name"], column if len(columns) > 1 else "")
                panels.append(Panel(name or column, [line[:, at] for line in lines]))
        return {f"epoch-{epoch:03}.png": forecast_png(panels[:_PANELS], horizon)}

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """A forecast for each series of each CSV file of past values; without files, for the end of the data.

        Raises:
            RequestError, SpecError: if a file does not exist, lacks a column, or is too short.
        """
        data = self.task.data
        assert isinstance(data, SeriesData)
        names = [one["name"] for one in self.described]
        if not inputs:
            return list(map(self._predicted, end_of_data(data, self.described)))
        return [
            {"input": file, **self._predicted(one)}
            for file in inputs
            for one in read_past(file, data, names)
        ]

    def _predicted(self, one: SeriesInput) -> dict[str, Any]:
        """The forecast of one series, as columns by name."""
        scale = self.described[one.number]
        batch = {"past": standardised(one.past, scale)[None].to(self.device)}
        if one.known.shape[1]:
            known = one.known.shape[1]
            ends = {name: scale[name][-known:] for name in ("mean", "std")}
            batch["known"] = standardised(one.known, ends)[None].to(self.device)
        number = torch.tensor([one.number], device=self.device)
        if len(self.described) > 1:
            batch["series"] = number
        forecast = self.forecast(batch)
        columns: dict[str, list[Any]] = {}
        if one.dates:
            columns["time"] = [date.isoformat(" ") for date in one.dates]
        quantiles = list(forecast.unbind(-1)) if self.task.quantiles else []
        lines = {"": self.median(forecast)}
        lines |= {
            f"{q:g}": line
            for q, line in zip(self.task.quantiles, quantiles, strict=True)
            if q != MEDIAN
        }
        for at, column in enumerate(self.metadata["columns"]):
            for name, line in lines.items():
                values = self.unscale(line, number)[0, :, at].tolist()
                columns[_dotted(column, name)] = values
        series = {"series": one.name} if one.name else {}
        return {**series, "forecast": columns}


def quantile_loss(
    forecast: Tensor, target: Tensor, quantiles: Sequence[float]
) -> Tensor:
    """The pinball loss of forecasts [..., Q], twice the mean over the quantiles, so that of the median is the error.

    Summed over all values (Koenker and Bassett, 1978).
    """
    error = target[..., None] - forecast
    levels = torch.tensor(quantiles, dtype=error.dtype, device=error.device)
    return 2 * torch.maximum(levels * error, (levels - 1) * error).mean(-1).sum()


def _dotted(*names: str) -> str:
    """Names with dots between them, without the empty ones."""
    return ".".join(filter(None, names))
