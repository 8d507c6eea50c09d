"""Recordings that files list with their transcripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from torch import Tensor

from compiler.tasks.data.speech import Speech
from runtime.data.audio import audio_seconds, read_audio
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.recordings import speech
from runtime.data.split_items import split_items
from runtime.data.user_files import beside, read_rows

COLUMNS: Final = ("the recording", "the transcript")


@dataclass(frozen=True)
class Recording:
    """A line of a file of transcripts.

    Attributes:
        file: the file of transcripts.
        line: the number of the line, from 1.
        name: the path of the recording, relative to the file's folder.
        text: the transcript.
    """

    file: Path
    line: int
    name: str
    text: str

    @property
    def path(self) -> Path:
        """The path of the recording."""
        return beside(self.file.parent, self.name)

    def fail(self, section: DataSection, error: Exception) -> NoReturn:
        """Report that the recording cannot be used."""
        columns = (1, len(self.name) + 1)
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{self.name} cannot be used: {reason}"
        help = f"paths are relative to {self.file.parent}"
        section.fail_in(
            "data-unreadable",
            self.file,
            self.line,
            message,
            columns=columns,
            help=help,
        )


def load(options: Speech, section: DataSection) -> DataSplits:
    """The recordings of the files; without a file for it, a random part is held out.

    Raises:
        SpecError: if a file or a recording does not exist or is invalid, or there are too few.
    """

    def read(option: str) -> list[tuple[Recording, float]]:
        return _recordings(options, section, option)

    parts = split_items(read("path"), options, section, read, "recordings")
    train, held_out, test = (
        None if part is None else Files(part, options, section) for part in parts
    )
    assert train is not None and held_out is not None
    facts = options.facts()
    return speech(train, held_out, options.tokens, options.rate, facts, test)


def _recordings(
    options: Speech, section: DataSection, option: str
) -> list[tuple[Recording, float]]:
    """The recordings of the file that an option names, each with its seconds."""
    written = getattr(options, option)
    file, found = section.path(written), []
    for line, name, text in read_rows(section, option, written, COLUMNS):
        one = Recording(file, line, name, text)
        try:
            seconds = audio_seconds(one.path)
            if not seconds <= options.longest:
                raise ValueError(
                    f"it has {seconds:.1f} s, and `longest` is {options.longest:g}"
                )
        except (OSError, ValueError) as error:
            one.fail(section, error)
        found.append((one, seconds))
    return found


class Files:
    """Audio files with transcripts, read when they are needed (see `runtime.data.recordings.Recordings`)."""

    def __init__(
        self,
        recordings: Sequence[tuple[Recording, float]],
        options: Speech,
        section: DataSection,
    ) -> None:
        self._recordings = [one for one, _ in recordings]
        self._options, self._section = options, section
        self.texts = [one.text for one in self._recordings]
        self.lengths = [seconds * options.rate for _, seconds in recordings]

    def samples(self, index: int) -> Tensor:
        one, options = self._recordings[index], self._options
        try:
            return read_audio(one.path, options.rate, options.longest)
        except (OSError, ValueError) as error:
            one.fail(self._section, error)

    def item(self, index: int) -> Iterable[Tensor]:
        return [self.samples(index)]

    def tensors(self) -> Iterable[Tensor]:
        return map(self.samples, range(len(self._recordings)))
