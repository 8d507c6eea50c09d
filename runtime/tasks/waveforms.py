"""Generated waveforms: as spectrograms for evaluation and pictures, and as files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import soundfile
import torch
from torch import Tensor

from runtime.data.dataset import DataSplits, Examples, TensorExamples
from runtime.data.log_mel import LogMel

_MELS: Final = 40
_CHUNK: Final = 256
_PAUSE: Final = 0.2
"""Seconds of silence between two waveforms in a file."""


def as_images(waveforms: Tensor, rate: int) -> Tensor:
    """Log-mel spectrograms [N, 1, mels, F] of waveforms [N, 1, S], the lowest band last."""
    log_mel = LogMel(rate, _MELS)
    rows = [log_mel(one[0]).flip(0) for one in waveforms.detach().float().cpu()]
    return torch.stack(rows)[:, None]


def with_images(data: DataSplits, rate: int) -> DataSplits:
    """The data with the spectrograms of its waveforms as images."""
    train, held_out = (_images(part, rate) for part in (data.train, data.held_out))
    return replace(data, train=train, held_out=held_out)


def _images(examples: Examples, rate: int) -> TensorExamples:
    def batches() -> Iterator[dict[str, Tensor]]:
        for start in range(0, len(examples), _CHUNK):
            rows = range(start, min(start + _CHUNK, len(examples)))
            batch = examples.__getitems__(list(rows))
            yield {"image": as_images(batch["waveform"], rate), "label": batch["label"]}

    parts = list(batches())
    return TensorExamples(
        {role: torch.cat([part[role] for part in parts]) for role in ("image", "label")}
    )


def wav(waveforms: Tensor, rate: int) -> bytes:
    """A WAV file of waveforms [N, 1, S], one after the other; values beyond -1 and 1 are clipped."""
    pause = np.zeros(round(_PAUSE * rate), dtype=np.float32)
    samples = waveforms.detach().float().cpu().nan_to_num().clamp(-1, 1)[:, 0].numpy()
    pieces = [piece for one in samples for piece in (one, pause)]
    buffer = io.BytesIO()
    soundfile.write(buffer, np.concatenate(pieces), rate, "PCM_16", format="WAV")
    return buffer.getvalue()
