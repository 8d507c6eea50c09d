"""A forecast beside the truth as a picture."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from runtime.plots.png import as_png

_SHOWN = 200
"""Times that are shown, the last ones: of more, the two lines could not be told apart."""


def forecast_png(
    truth: Tensor, told: Tensor, columns: Sequence[str], horizon: int
) -> bytes:
    """One panel for each column of [N, C]; each `horizon` times were told together."""
    figure = Figure(figsize=(8, 2.6 * len(columns) + 0.4), layout="constrained")
    panels = figure.subplots(len(columns), 1, squeeze=False)[:, 0]
    first = max(0, len(truth) - _SHOWN)
    times = range(first, len(truth))
    steps = "one step" if horizon == 1 else f"{horizon} steps"
    for panel, name, values, found in zip(
        panels, columns, truth.T, told.T, strict=True
    ):
        panel.plot(times, values[first:].numpy(), color="0.4", label="true")
        panel.plot(
            times,
            found[first:].numpy(),
            color="C3",
            label=f"{steps} ahead",
            linewidth=1,
        )
        panel.set(ylabel=name)
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False, fontsize=8)
    panels[-1].set(xlabel="time since the first that was held out")
    return as_png(figure)
