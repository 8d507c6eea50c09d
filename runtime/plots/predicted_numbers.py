"""Plot predicted numbers against true ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.figure import Figure
from torch import Tensor

from runtime.plots.png import as_png

_MAX_PANELS: Final = 4
_MAX_POINTS: Final = 2_000


def predicted_png(predicted: Tensor, target: Tensor, names: Sequence[str]) -> bytes:
    """A PNG with a panel for each number: a point for each example, and the line on which points are right.

    Args:
        predicted, target: values [N, targets].
        names: names of the numbers; the first few are shown.
    """
    shown = names[:_MAX_PANELS]
    figure = Figure(figsize=(4.2 * len(shown), 4.2), layout="constrained")
    panels = figure.subplots(1, len(shown), squeeze=False)[0]
    step = -(-len(target) // _MAX_POINTS)
    for i, (panel, name) in enumerate(zip(panels, shown, strict=True)):
        x, y = target[::step, i].numpy(), predicted[::step, i].numpy()
        ends = [float(x.min()), float(x.max())]
        panel.plot(ends, ends, color="0.4", linewidth=1)
        panel.scatter(x, y, s=10, color="C0", alpha=0.6, linewidths=0)
        panel.set(xlabel=f"true {name}", ylabel="predicted")
        panel.grid(alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    return as_png(figure)
