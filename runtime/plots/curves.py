"""How a run went, as a picture: losses step by step, and held-out metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from runtime.plots.png import as_png

Row = Mapping[str, float]
"""The values of one step, or one evaluation, by name."""

_POINTS = 400
"""Points of a curve, at most: what is more is averaged."""


def curves_png(steps: Sequence[Row], metrics: Sequence[Row]) -> bytes:
    """One panel for the losses, one for each other metric."""
    others = _others(metrics)
    figure = Figure(figsize=(4.2 * (1 + len(others)), 3.2), layout="constrained")
    panels = figure.subplots(1, 1 + len(others), squeeze=False)[0]
    losses = [name for name in _names(steps) if name.endswith("loss")]
    for name in losses:
        panels[0].plot(*_smooth(steps, name), label=f"training {name}", linewidth=1)
    for name in [name for name in _names(metrics) if name == "loss"]:
        panels[0].plot(
            *_points(metrics, name), "o-", label=f"held-out {name}", markersize=3
        )
    panels[0].set(xlabel="step", ylabel="loss")
    panels[0].legend(frameon=False, fontsize=8)
    for panel, name in zip(panels[1:], others, strict=True):
        panel.plot(*_points(metrics, name), "o-", markersize=3, color="C2")
        panel.set(xlabel="step", ylabel=f"held-out {name}")
    for panel in panels:
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    return as_png(figure)


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _others(metrics: Sequence[Row]) -> list[str]:
    """The metrics that have a panel of their own, three at most."""
    known = ("epoch", "step", "seconds", "loss")
    names = [name for name in _names(metrics) if name not in known]
    return [name for name in names if not name.startswith("train.")][:3]


def _points(rows: Sequence[Row], name: str) -> tuple[list[float], list[float]]:
    held = [row for row in rows if name in row]
    return [row["step"] for row in held], [row[name] for row in held]


def _smooth(rows: Sequence[Row], name: str) -> tuple[list[float], list[float]]:
    """Means of as many steps as make a curve of few points."""
    steps, values = _points(rows, name)
    width = -(-len(values) // _POINTS) or 1
    parts = [values[i : i + width] for i in range(0, len(values), width)]
    return steps[::width], [sum(part) / len(part) for part in parts]
