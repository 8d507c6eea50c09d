"""Plot a spectrogram with what is said in it."""

from __future__ import annotations

from typing import Final

from matplotlib import colormaps
from matplotlib.figure import Figure
from torch import Tensor

from runtime.plots.png import as_png

_COLUMNS_PER_SECOND: Final = 100
_COLOURS: Final = 8
"""Few enough for a small file."""


def spectrogram_png(spectrogram: Tensor, reference: str, transcript: str) -> bytes:
    """A PNG of a log-mel spectrogram float[mels, F], with its transcript and that of a network."""
    figure = Figure(figsize=(5.5, 2.3), layout="constrained")
    axes = figure.subplots()
    mels, columns = spectrogram.shape
    seconds = columns / _COLUMNS_PER_SECOND
    axes.imshow(
        spectrogram.numpy(),
        origin="lower",
        aspect="auto",
        extent=(0, seconds, 0, mels),
        interpolation="nearest",
        cmap=colormaps["magma"].resampled(_COLOURS),
    )
    axes.set(xlabel="seconds", ylabel="mel band")
    axes.set_title(f"said: {reference}\nread: {transcript}", loc="left", fontsize=9)
    return as_png(figure)
