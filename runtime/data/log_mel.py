"""Log-mel spectrograms of audio, as Whisper's (Radford et al., 2022)."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

_WINDOW, _HOP = 0.025, 0.010
"""Length of a window and distance between two, in seconds."""
_LINEAR_HZ, _LINEAR_MELS = 1000.0, 15.0
"""Slaney's scale is linear up to this frequency, and logarithmic above it."""
_LOG_STEP: Final = math.log(6.4) / 27
_FLOOR: Final = 8.0
"""Powers of ten below the loudest value of a recording, at which its spectrogram is cut off."""


class LogMel:
    """Computes log-mel spectrograms.

    Args:
        rate: samples in a second.
        mels: number of bands, from 0 to half the rate.

    Attributes:
        hop: samples between two columns.
    """

    def __init__(self, rate: int, mels: int) -> None:
        self.rate, self.mels = rate, mels
        self.hop = max(1, round(rate * _HOP))
        self.size = max(2, round(rate * _WINDOW))
        self._window = torch.hann_window(self.size)
        self._filters = mel_filters(rate, self.size, mels)

    def columns(self, samples: int) -> int:
        """The number of columns of a recording."""
        return max(samples, self.hop) // self.hop

    def __call__(self, samples: Tensor) -> Tensor:
        """The spectrogram float[mels, F] of a recording float[N]; silence of a second has 100 columns."""
        columns = self.columns(len(samples))
        shortest = max(columns * self.hop, self.size)
        padded = F.pad(samples, (0, max(0, shortest - len(samples))))
        spectrum = torch.stft(
            padded, self.size, self.hop, window=self._window, return_complex=True
        )
        power = spectrum[:, :columns].abs().square()
        logs = (self._filters @ power).clamp(min=1e-10).log10()
        logs = logs.maximum(logs.max() - _FLOOR)
        return (logs + 4) / 4

    @staticmethod
    def silence(spectrogram: Tensor) -> float:
        """The value of silence beside a spectrogram, for padding."""
        return float(spectrogram.max()) - _FLOOR / 4


def mel_filters(rate: int, size: int, mels: int) -> Tensor:
    """Triangular filters float[mels, size // 2 + 1] of equal area on Slaney's mel scale.

    Those of librosa.filters.mel and of Whisper.
    """
    top = _mel(rate / 2)
    edges = _hertz(torch.linspace(0, top, mels + 2, dtype=torch.float64))
    frequencies = torch.linspace(0, rate / 2, size // 2 + 1, dtype=torch.float64)
    distances, widths = edges[:, None] - frequencies, edges.diff()[:, None]
    rising, falling = -distances[:-2] / widths[:-1], distances[2:] / widths[1:]
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return (triangles * (2 / (edges[2:] - edges[:-2]))[:, None]).float()


def _mel(frequency: float) -> float:
    """The mel of a frequency in Hz."""
    if frequency < _LINEAR_HZ:
        return frequency * _LINEAR_MELS / _LINEAR_HZ
    return _LINEAR_MELS + math.log(frequency / _LINEAR_HZ) / _LOG_STEP


def _hertz(mels: Tensor) -> Tensor:
    """The frequencies in Hz of mels."""
    linear = mels * _LINEAR_HZ / _LINEAR_MELS
    logarithmic = _LINEAR_HZ * ((mels - _LINEAR_MELS) * _LOG_STEP).exp()
    return torch.where(mels < _LINEAR_MELS, linear, logarithmic)
