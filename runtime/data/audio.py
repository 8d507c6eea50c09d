"""Read audio files, WAV and FLAC, as mono samples of a wanted rate."""

from __future__ import annotations

import math
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from scipy.signal import resample_poly
from torch import Tensor

from runtime.data.user_files import check_regular

FORMATS: Final = ("WAV", "FLAC")
"""The formats that are read, as libsndfile calls them."""
_MAX_SECONDS: Final = 3600.0
_MAX_SAMPLES: Final = 2**28
"""Samples of all channels together: 1 GiB. An hour can have many more."""


def audio_seconds(file: Path | BinaryIO) -> float:
    """The length of an audio file, of which only the header is read.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is not audio of a known format.
    """
    with _opened(file) as opened:
        return float(opened.frames / opened.samplerate)


def read_audio(
    file: Path | BinaryIO, rate: int, longest: float = _MAX_SECONDS
) -> Tensor:
    """The samples float[N] of an audio file, from -1 to 1; channels are averaged.

    Args:
        file: a path or an open file.
        rate: samples in a second, to which the audio is resampled.
        longest: maximum length in seconds.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is not audio of a known format, or too long.
    """
    with _opened(file) as opened:
        seconds = opened.frames / opened.samplerate
        if not seconds <= longest:
            raise ValueError(
                f"it has {seconds:.1f} s, and at most {longest:g} are read"
            )
        if opened.frames * opened.channels > _MAX_SAMPLES:
            raise ValueError(
                f"it has {opened.frames:,} samples in {opened.channels} channels,"
                f" and at most {_MAX_SAMPLES:,} are read"
            )
        try:
            samples = opened.read(dtype="float32", always_2d=True).mean(1)
        except soundfile.LibsndfileError as error:
            raise ValueError(str(error)) from None
        own = opened.samplerate
    if not np.isfinite(samples).all():
        raise ValueError("it has samples that are NaN or infinite")
    return torch.from_numpy(resampled(samples, own, rate))


def resampled(
    samples: NDArray[np.float32], rate: int, wanted: int
) -> NDArray[np.float32]:
    """Samples [N] at another rate, without aliases (`scipy.signal.resample_poly`)."""
    common = math.gcd(rate, wanted)
    if rate == wanted or not len(samples):
        return samples
    made = resample_poly(samples, wanted // common, rate // common)
    return np.asarray(made, dtype=np.float32)


def _opened(file: Path | BinaryIO) -> soundfile.SoundFile:
    if isinstance(file, Path):
        file.stat()  # of a file that does not exist, libsndfile says "System error"
        check_regular(file)
    try:
        opened = soundfile.SoundFile(file if not isinstance(file, Path) else str(file))
    except soundfile.LibsndfileError as error:
        raise ValueError(error.error_string) from None
    if opened.format not in FORMATS:
        opened.close()
        raise ValueError(f"its format is {opened.format}, not WAV or FLAC")
    if opened.samplerate < 1:
        opened.close()
        raise ValueError("it has no sample rate")
    return opened
