"""Plot forecasts with the true values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.figure import Figure
from torch import Tensor

from runtime.plots.png import as_png

_MAX_TIMES: Final = 200
"""Number of last times shown; with more the two lines are hard to tell apart."""


def forecast_png(
    target: Tensor, forecast: Tensor, columns: Sequence[str], horizon: int
) -> bytes:
    """A PNG with a panel for each column.

    Args:
        target: true values [N, C].
        forecast: forecasts [N, C], each `horizon` times together.
        columns: names of the C columns.
        horizon: number of times of one forecast.
    """
    figure = Figure(figsize=(8, 2.6 * len(columns) + 0.4), layout="constrained")
    panels = figure.subplots(len(columns), 1, squeeze=False)[:, 0]
    start = max(0, len(target) - _MAX_TIMES)
    times = range(start, len(target))
    steps = "one step" if horizon == 1 else f"{horizon} steps"
    for i, (panel, name) in enumerate(zip(panels, columns, strict=True)):
        panel.plot(times, target[start:, i].numpy(), color="0.4", label="true")
        values, label = forecast[start:, i].numpy(), f"{steps} ahead"
        panel.plot(times, values, color="C3", label=label, linewidth=1)
        panel.set(ylabel=name)
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False, fontsize=8)
    panels[-1].set(xlabel="time since the start of the held-out part")
    return as_png(figure)
