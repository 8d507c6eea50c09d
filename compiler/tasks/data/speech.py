"""Recordings, WAV or FLAC, with a file of their transcripts: on each line the recording, a tab, and the text."""

from __future__ import annotations

from typing import ClassVar

from compiler.tasks.data_facts import DataFacts, Form
from compiler.tasks.data_set import File, Mels, Rate, Tokens, vocabulary
from compiler.tasks.formulas import Positive, Share
from compiler.tasks.splits import OwnFiles, RandomSplit


class Speech(OwnFiles, RandomSplit):
    """Options of recordings. Recordings are paths relative to the file's folder.

    Attributes:
        path: the file with the transcripts.
        tokens: the tokenizer.
        rate: samples in a second, to which recordings are resampled.
        mels: number of bands of the spectrogram.
        longest: maximum length of a recording, in seconds; longer ones are an error.
        held_out: fraction held out; 0: train on everything, without evaluations.
    """

    name: ClassVar[str] = "speech"
    forms: ClassVar[tuple[Form, ...]] = ("speech",)

    path: File
    tokens: Tokens = "characters"
    rate: Rate = 16000
    mels: Mels = 80
    longest: Positive = 30.0
    held_out: Share = 0.1

    def facts(self) -> DataFacts:
        return DataFacts("speech", features=self.mels, vocab=vocabulary(self.tokens))
