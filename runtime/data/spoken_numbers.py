"""Numbers read aloud, joined to strings of numbers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from random import Random
from typing import Final, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from compiler.tasks.data.spoken_numbers import SpokenNumbers, Voice
from runtime.data.audio import read_audio
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.recordings import speech

RATE: Final = 8000
"""Samples in a second."""
NUMBERS: Final = (*range(21), *range(30, 100, 10))
"""The numbers that each voice says."""
VOICES: Final[tuple[str, ...]] = get_args(Voice)
_SPEED: Final = (0.9, 1.15)
_GAIN: Final = (0.4, 1.0)
_PAUSE: Final = (0.05, 0.4)
"""Seconds of silence before each number, and at the end."""
_NOISE: Final = (15.0, 40.0)
"""Range of the signal-to-noise ratio in dB."""

Samples = NDArray[np.float32]
Clips = Mapping[tuple[str, int], Samples]
"""The samples of each number, by voice."""


def load(options: SpokenNumbers, section: DataSection) -> DataSplits:
    """Strings of numbers: the same ones every time.

    Raises:
        SpecError: if there are too few strings of these lengths.
    """
    lengths = range(options.shortest, options.longest + 1)
    distinct = sum(len(NUMBERS) ** length for length in lengths[:16])
    if options.held_out > distinct // 2:
        message = f"there are only {distinct} strings of these lengths"
        section.fail("data-empty", message, "held_out")
    clips = read_clips()
    heard = [voice for voice in VOICES if voice != options.unheard]
    random = Random(options.seed)
    held_out: dict[tuple[int, ...], None] = {}
    while len(held_out) < options.held_out:
        held_out[_numbers(options, random)] = None
    strings = (_numbers(options, random) for _ in iter(int, 1))
    train = (string for string in strings if string not in held_out)
    last = [options.unheard] if options.unheard else heard
    parts = (
        SpokenStrings(
            [plan(next(train), heard, random) for _ in range(options.count)], clips
        ),
        SpokenStrings([plan(one, last, random) for one in held_out], clips),
    )
    return speech(*parts, options.tokens, RATE, options.facts())


def _numbers(options: SpokenNumbers, random: Random) -> tuple[int, ...]:
    length = random.randint(options.shortest, options.longest)
    return tuple(random.choices(NUMBERS, k=length))


@dataclass(frozen=True)
class SpokenPlan:
    """How a string is made.

    Attributes:
        voice: who says it.
        numbers: what is said.
        speeds, gains, pauses: of each number; one more pause at the end.
        noise: signal-to-noise ratio in dB.
        seed: of the noise.
    """

    voice: str
    numbers: tuple[int, ...]
    speeds: tuple[float, ...]
    gains: tuple[float, ...]
    pauses: tuple[float, ...]
    noise: float
    seed: int


def plan(numbers: tuple[int, ...], voices: Sequence[str], random: Random) -> SpokenPlan:
    """A random way in which one of the voices says numbers."""

    def drawn(interval: tuple[float, float], count: int) -> tuple[float, ...]:
        return tuple(random.uniform(*interval) for _ in range(count))

    count = len(numbers)
    return SpokenPlan(
        random.choice(voices),
        numbers,
        drawn(_SPEED, count),
        drawn(_GAIN, count),
        drawn(_PAUSE, count + 1),
        random.uniform(*_NOISE),
        random.getrandbits(32),
    )


def read_clips() -> Clips:
    """All recordings of the shipped file."""
    shipped = files("runtime.data").joinpath("files", "spoken_numbers.zip")
    with zipfile.ZipFile(io.BytesIO(shipped.read_bytes())) as archive:
        return {
            (voice, number): read_audio(
                io.BytesIO(archive.read(f"{voice}/{number}.flac")), RATE
            ).numpy()
            for voice in VOICES
            for number in NUMBERS
        }


class SpokenStrings:
    """Strings of numbers, joined when they are needed (see `runtime.data.recordings.Recordings`).

    Args:
        plans: how each string is made.
        clips: the recordings.
    """

    def __init__(self, plans: Sequence[SpokenPlan], clips: Clips) -> None:
        self.plans, self._clips = plans, clips
        self.texts = [" ".join(map(str, one.numbers)) for one in plans]
        self.lengths = [
            sum(map(len, map(_silence, one.pauses)))
            + sum(len(clip) / speed for clip, speed, _ in self._said(one))
            for one in plans
        ]

    def samples(self, index: int) -> Tensor:
        one = self.plans[index]
        pieces = [_silence(one.pauses[-1])]
        for pause, said in zip(one.pauses, self._said(one), strict=False):
            pieces += [_silence(pause), changed(*said)]
        speech = np.concatenate(pieces)
        level = np.sqrt(np.mean(speech**2)) * 10 ** (-one.noise / 20)
        noise = np.random.default_rng(one.seed).standard_normal(len(speech))
        return torch.from_numpy((speech + level * noise).astype(np.float32))

    def _said(self, one: SpokenPlan) -> Iterator[tuple[Samples, float, float]]:
        """The recording of each number, its speed and gain."""
        clips = (self._clips[one.voice, number] for number in one.numbers)
        return zip(clips, one.speeds, one.gains, strict=True)

    def item(self, index: int) -> Iterable[Tensor]:
        one = self.plans[index]
        ways = (*one.speeds, *one.gains, *one.pauses, one.noise, one.seed)
        yield torch.tensor([*map(float, one.numbers), *ways], dtype=torch.float64)
        yield torch.tensor([VOICES.index(one.voice)])

    def tensors(self) -> Iterable[Tensor]:
        for index in range(len(self.plans)):
            yield from self.item(index)
        used = {(one.voice, number) for one in self.plans for number in one.numbers}
        for key in sorted(used):
            yield torch.from_numpy(self._clips[key])


def changed(clip: Samples, speed: float, gain: float) -> Samples:
    """A recording, faster (and higher) by a factor, and louder by another."""
    positions = np.arange(round(len(clip) / speed)) * speed
    made = gain * np.interp(positions, np.arange(len(clip)), clip)
    return np.asarray(made, dtype=np.float32)


def _silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), dtype=np.float32)
