"""Plot forecasts with the true values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.figure import Figure
from torch import Tensor

from runtime.plots.png import as_png

_MAX_TIMES: Final = 200
"""Number of last times shown; with more the two lines are hard to tell apart."""


@dataclass(frozen=True)
class Panel:
    """The plot of one series.

    Attributes:
        name: its name.
        lines: true values and forecasts, each [N], with each `horizon` times together; with quantiles also the lowest
            and the highest.
    """

    name: str
    lines: Sequence[Tensor]


def forecast_png(panels: Sequence[Panel], horizon: int) -> bytes:
    """A PNG of series with their forecasts.

    Args:
        panels: the series.
        horizon: number of times of one forecast.
    """
    width, height = (8.0, 2.6) if len(panels) == 1 else (5.2, 1.2)
    figure = Figure(figsize=(width, height * len(panels) + 0.4), layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    steps = "one step" if horizon == 1 else f"{horizon} steps"
    for panel, one in zip(axes, panels, strict=True):
        size = len(one.lines[0])
        start = max(0, size - _MAX_TIMES)
        times = range(start, size)
        target, forecast, *bounds = (line[start:].numpy() for line in one.lines)
        panel.plot(times, target, color="0.4", label="true")
        panel.plot(times, forecast, color="C3", label=f"{steps} ahead", linewidth=1)
        if bounds:
            panel.fill_between(times, *bounds, color="C3", alpha=0.2, linewidth=0)
        panel.set(ylabel=one.name)
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    axes[0].legend(frameon=False, fontsize=8)
    axes[-1].set(xlabel="time since the start of the held-out part")
    return as_png(figure)
