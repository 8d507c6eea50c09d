"""Spoken digits as waveforms of one length."""

from __future__ import annotations

from random import Random

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from compiler.tasks.data.spoken_digits import SpokenDigits
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits, TensorExamples
from runtime.data.spoken_numbers import RATE, VOICES, Clips, changed, read_clips

_DIGITS = range(10)
_SPEED, _GAIN = (0.9, 1.15), (0.6, 1.0)


def load(options: SpokenDigits, section: DataSection) -> DataSplits:
    """Recordings of the digits with random changes: the same ones every time."""
    clips, random = read_clips(), Random(options.seed)
    train, held_out = (
        _examples(clips, count, options.length, random)
        for count in (options.count, options.held_out)
    )
    metadata = {"classes": [str(digit) for digit in _DIGITS], "rate": RATE}
    return DataSplits(train, held_out, options.facts(), metadata)


def _examples(clips: Clips, count: int, length: int, random: Random) -> TensorExamples:
    rows, labels = [], []
    for _ in range(count):
        digit = random.choice(_DIGITS)
        rows.append(_waveform(clips, digit, length, random))
        labels.append(digit)
    waveforms = torch.stack(rows)[:, None]
    return TensorExamples({"waveform": waveforms, "label": torch.tensor(labels)})


def _waveform(clips: Clips, digit: int, length: int, random: Random) -> Tensor:
    """A digit, said by one of the voices: float[length], at most 1."""
    clip = clips[random.choice(VOICES), digit]
    loudest = float(np.abs(clip).max()) or 1.0
    gain = random.uniform(*_GAIN) / loudest
    made = torch.from_numpy(changed(clip, random.uniform(*_SPEED), gain))[:length]
    before = random.randint(0, length - len(made))
    return F.pad(made, (before, length - len(made) - before))
