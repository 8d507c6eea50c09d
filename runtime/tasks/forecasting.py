"""Forecasting: the next values of a series, beside forecasts without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.kinds.forecasting import Forecasting
from runtime.data.dataset import Batch
from runtime.tasks.learner import Learner
from runtime.tasks.user_inputs import past_of

_LOSSES: Final[Mapping[str, Callable[..., Tensor]]] = {
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "huber": F.huber_loss,
}


class ForecastingLearner(Learner[Forecasting]):
    """Learns to tell the next values of a series from those before."""

    task_type = Forecasting

    def num_items(self, batch: Batch) -> int:
        """How many values there are to tell."""
        return batch["future"].numel()

    def loss(self, network: str, batch: Batch, progress: float) -> Tensor:
        return self.error(self.forecast(batch["past"]), batch["future"])

    def error(self, told: Tensor, truth: Tensor) -> Tensor:
        """The sum of the loss over all values."""
        return _LOSSES[self.task.loss](told, truth, reduction="sum")

    def forecast(self, past: Tensor) -> Tensor:
        """The next values [B, horizon, C] after a past [B, T, C], standardised as that is."""
        found = self.output("", "forecast", past=past)
        return found.unsqueeze(1) if found.dim() == 2 else found

    @property
    def scale(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of each column [C], by which values are standardised; float64."""
        mean, std = (
            torch.tensor(self.metadata[name], dtype=torch.float64)
            for name in ("mean", "std")
        )
        return mean, std

    def units(self, values: Tensor) -> Tensor:
        """Standardised values [..., C] in the units of the series, float64."""
        mean, std = self.scale
        return values.double().cpu() * std + mean

    def evaluate(self, batches: Iterable[Batch], final: bool) -> dict[str, float]:
        """The loss, and errors in the units of the series; after training those of the baselines too.

        Of several columns an error is the mean over all, and there is one of each beside.
        """
        loss, terms = 0.0, 0
        errors: dict[str, list[Tensor]] = {}
        for batch in batches:
            own, truth = self.forecast(batch["past"]), batch["future"]
            loss, terms = loss + float(self.error(own, truth)), terms + truth.numel()
            beside = forecasts(batch) if final else {}
            for name, told in {"": own, **beside}.items():
                apart = self.units(told) - self.units(truth)
                errors.setdefault(name, []).append(apart.flatten(0, 1))
        found = {"loss": loss / terms}
        for name, parts in errors.items():
            found |= self._measured(name, torch.cat(parts))
        return found

    def _measured(self, name: str, errors: Tensor) -> dict[str, float]:
        """The metrics of errors [N, C] of a forecast; names end with that of a baseline."""
        columns = self.metadata["columns"]
        sizes = {"mae": errors.abs(), "rmse": errors.square()}
        found = {}
        for metric, size in sizes.items():
            means = {"": size.mean()}
            if len(columns) > 1:
                means |= dict(zip(columns, size.mean(0), strict=True))
            for column, mean in means.items():
                label = ".".join(filter(None, (column, metric, name)))
                found[label] = float(mean.sqrt() if metric == "rmse" else mean)
        return found

    def samples(self, batches: Iterable[Batch], epoch: int) -> dict[str, bytes | str]:
        """A picture of the held-out part, and of what is told of it: of every `horizon` times together."""
        from runtime.plots.forecast import forecast_png

        pairs = [(b["future"], self.forecast(b["past"])) for b in batches]
        truth, told = (torch.cat(part) for part in zip(*pairs, strict=True))
        horizon = truth.shape[1]
        truth, told = (
            self.units(part[::horizon].flatten(0, 1)) for part in (truth, told)
        )
        picture = forecast_png(truth, told, self.metadata["columns"], horizon)
        return {f"epoch-{epoch:03}.png": picture}

    @torch.no_grad()
    def predict(self, inputs: Sequence[str]) -> list[dict[str, Any]]:
        """What comes after the past in each CSV file; without one, after the end of the data.

        Raises:
            RequestError, SpecError: where a file is not there, has not the columns, or is too short.
        """
        return [self._after(one) for one in inputs or ("",)]

    def _after(self, file: str) -> dict[str, Any]:
        columns, length = self.metadata["columns"], self.task.data.chosen.length
        past = past_of(file, columns, length) if file else self.metadata["end"]
        mean, std = self.scale
        values = torch.tensor(past, dtype=torch.float64)
        scaled = ((values - mean) / std).float().to(self.device)
        told = self.units(self.forecast(scaled[None])[0])
        found = dict(zip(columns, told.T.tolist(), strict=True))
        return {"input": file, "forecast": found} if file else {"forecast": found}


def last_value(past: Tensor, horizon: int) -> Tensor:
    """That nothing changes: past [B, T, C] -> [B, horizon, C]."""
    return past[:, -1:].expand(-1, horizon, -1)


def forecasts(batch: Batch) -> dict[str, Tensor]:
    """The baselines' forecasts [B, horizon, C] by name: `last`, and `seasonal` where the series has a season."""
    found = {"last": last_value(batch["past"], batch["future"].shape[1])}
    return found | ({"seasonal": batch["seasonal"]} if "seasonal" in batch else {})
