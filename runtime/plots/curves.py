"""Plot a run: losses by step, and held-out metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from matplotlib.figure import Figure

from runtime.plots.png import as_png

Rows = Sequence[Mapping[str, float]]
"""Rows of a table by column; `step` is the x axis."""
_MAX_POINTS: Final = 400
"""Maximum number of points of a training curve; longer ones are averaged."""
_MAX_METRICS: Final = 3
"""Maximum number of metrics with a panel, besides the loss."""


def curves_png(steps: Rows, metrics: Rows) -> bytes:
    """A PNG with a panel for the losses and one for each other metric."""
    others = _other_metrics(metrics)
    figure = Figure(figsize=(4.2 * (1 + len(others)), 3.2), layout="constrained")
    panels = figure.subplots(1, 1 + len(others), squeeze=False)[0]
    losses = [name for name in _columns(steps) if name.endswith("loss")]
    for name in losses:
        panels[0].plot(*_smooth_curve(steps, name), label=f"training {name}", lw=1)
    for name in [name for name in _columns(metrics) if name == "loss"]:
        points = _points(metrics, name)
        panels[0].plot(*points, "o-", label=f"held-out {name}", markersize=3)
    panels[0].set(xlabel="step", ylabel="loss")
    panels[0].legend(frameon=False, fontsize=8)
    for panel, name in zip(panels[1:], others, strict=True):
        panel.plot(*_points(metrics, name), "o-", markersize=3, color="C2")
        panel.set(xlabel="step", ylabel=f"held-out {name}")
    for panel in panels:
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    return as_png(figure)


def _columns(rows: Rows) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _other_metrics(metrics: Rows) -> list[str]:
    """The metrics with a panel of their own."""
    excluded = ("epoch", "step", "seconds", "loss")
    names = [name for name in _columns(metrics) if name not in excluded]
    return [name for name in names if not name.startswith("train.")][:_MAX_METRICS]


def _points(rows: Rows, name: str) -> tuple[list[float], list[float]]:
    """The steps and values of a column."""
    having = [row for row in rows if name in row]
    return [row["step"] for row in having], [row[name] for row in having]


def _smooth_curve(rows: Rows, name: str) -> tuple[list[float], list[float]]:
    """The steps and values of a column, averaged over consecutive rows."""
    steps, values = _points(rows, name)
    width = -(-len(values) // _MAX_POINTS) or 1
    parts = [values[i : i + width] for i in range(0, len(values), width)]
    return steps[::width], [sum(part) / len(part) for part in parts]
