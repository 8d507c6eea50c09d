"""Recordings that a file lists with their transcripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NoReturn

import torch
from torch import Tensor

from compiler.tasks.data.speech import Speech
from runtime.data.audio import audio_seconds, read_audio
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.recordings import speech
from runtime.data.split import split_by_class
from runtime.data.user_files import read_rows

COLUMNS: Final = ("the recording", "the transcript")


def load(options: Speech, section: DataSection) -> DataSplits:
    """The recordings of the file, a random part of them held out.

    Raises:
        SpecError: if the file or a recording does not exist or is invalid, or there are too few.
    """
    rows = read_rows(section, "path", options.path, COLUMNS)
    folder = section.path(options.path).parent
    every = []
    for line, name, text in rows:
        try:
            seconds = audio_seconds(folder / name)
            if not seconds <= options.longest:
                raise ValueError(
                    f"it has {seconds:.1f} s, and `longest` is {options.longest:g}"
                )
        except (OSError, ValueError) as error:
            _fail(section, options, line, name, error)
        every.append((line, name, text, seconds))
    train, held_out = (
        Files([every[i] for i in part.tolist()], options, section)
        for part in split_by_class(torch.zeros(len(every)), options)
    )
    if not train.texts or not held_out.texts:
        message = (
            f"{section.path(options.path)} has too few recordings to hold some out"
        )
        section.fail("data-empty", message, "path")
    return speech(train, held_out, options.tokens, options.rate, options.facts())


def _fail(
    section: DataSection, options: Speech, line: int, name: str, error: Exception
) -> NoReturn:
    path = section.path(options.path)
    columns = (1, len(name) + 1)
    reason = getattr(error, "strerror", None) or str(error)
    message = f"{name} cannot be used: {reason}"
    help = f"paths are relative to {path.parent}"
    section.fail_in("data-unreadable", path, line, message, columns=columns, help=help)


class Files:
    """Audio files with transcripts, read when they are needed (see `runtime.data.recordings.Recordings`)."""

    def __init__(
        self,
        rows: Sequence[tuple[int, str, str, float]],
        options: Speech,
        section: DataSection,
    ) -> None:
        self._rows, self._options, self._section = rows, options, section
        self.texts = [text for _, _, text, _ in rows]
        self.lengths = [seconds * options.rate for *_, seconds in rows]

    def samples(self, index: int) -> Tensor:
        line, name, *_ = self._rows[index]
        options = self._options
        folder = self._section.path(options.path).parent
        try:
            return read_audio(folder / name, options.rate, options.longest)
        except (OSError, ValueError) as error:
            _fail(self._section, options, line, name, error)

    def tensors(self) -> Iterable[Tensor]:
        return map(self.samples, range(len(self._rows)))
