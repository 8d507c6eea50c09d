"""Plot a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from runtime.plots.png import as_png


def confusion_png(matrix: Tensor, classes: Sequence[str]) -> bytes:
    """A PNG of a confusion matrix int[classes, classes]: rows are true classes, columns predicted ones."""
    size = max(4.0, 0.4 * len(classes) + 1.5)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    fractions = matrix / matrix.sum(1, keepdim=True).clamp(min=1)
    axes.imshow(fractions.numpy(), cmap="Blues", vmin=0, vmax=1)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_xticks(
        range(len(classes)), classes, rotation=90 if max(map(len, classes)) > 3 else 0
    )
    axes.set_yticks(range(len(classes)), classes)
    for row, column in matrix.nonzero().tolist():
        color = "white" if fractions[row, column] > 0.5 else "black"
        text = str(int(matrix[row, column]))
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    return as_png(figure)
