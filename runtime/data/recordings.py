"""Recordings with transcripts: the examples of speech recognition."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from compiler.tasks.data_facts import DataFacts
from compiler.tasks.data_set import Tokens
from runtime.data.dataset import Batch, DataSplits
from runtime.data.log_mel import LogMel
from runtime.data.tokenizer import (
    BOS,
    EOS,
    PAD,
    PAIR_SPECIALS,
    Tokenizer,
    train_tokenizer,
)


class Recordings(Protocol):
    """Recordings, made or read when they are needed."""

    @property
    def texts(self) -> Sequence[str]:
        """The transcript of each."""

    @property
    def lengths(self) -> Sequence[float]:
        """The number of samples of each, or nearly."""

    def samples(self, index: int) -> Tensor:
        """A recording float[N], from -1 to 1."""

    def item(self, index: int) -> Iterable[Tensor]:
        """What one recording is made from."""

    def tensors(self) -> Iterable[Tensor]:
        """What all recordings are made from."""


class SpeechExamples:
    """Batches of `spectrogram` float[B, mels, F], `mask` bool[B, F] and `target` int[B, L + 2].

    Columns after the end of a recording are silent, and the mask is False for them. A target starts with `<bos>`
    and ends with `<eos>`.

    Args:
        recordings: the recordings.
        tokenizer: the tokenizer of the transcripts.
        log_mel: computes the spectrograms.
    """

    def __init__(
        self, recordings: Recordings, tokenizer: Tokenizer, log_mel: LogMel
    ) -> None:
        self.recordings, self.log_mel = recordings, log_mel
        self.targets = [
            torch.tensor([BOS, *tokenizer.encode(text), EOS])
            for text in recordings.texts
        ]

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def lengths(self) -> list[int]:
        """The number of columns of each example, or nearly; batches have examples of similar length."""
        return [self.log_mel.columns(int(length)) for length in self.recordings.lengths]

    def __getitems__(self, indices: list[int]) -> Batch:
        rows = [self.log_mel(self.recordings.samples(i)) for i in indices]
        targets = pad_sequence([self.targets[i] for i in indices], True, PAD)
        return {**spectrogram_batch(rows), "target": targets}

    def item(self, index: int) -> Iterable[Tensor]:
        yield from self.recordings.item(index)
        yield self.targets[index]

    def tensors(self) -> Iterable[Tensor]:
        yield from self.recordings.tensors()
        yield from self.targets


def spectrogram_batch(rows: Sequence[Tensor]) -> Batch:
    """Spectrograms [mels, F] of different lengths as one batch, with their mask."""
    longest = max(row.shape[1] for row in rows)
    padded = [
        F.pad(row, (0, longest - row.shape[1]), value=LogMel.silence(row))
        for row in rows
    ]
    lengths = torch.tensor([row.shape[1] for row in rows])
    mask = torch.arange(longest) < lengths[:, None]
    return {"spectrogram": torch.stack(padded), "mask": mask}


def speech(
    train: Recordings,
    held_out: Recordings,
    tokens: Tokens,
    rate: int,
    facts: DataFacts,
    test: Recordings | None = None,
) -> DataSplits:
    """A data set of recordings; the tokenizer is trained on the training transcripts."""
    tokenizer = train_tokenizer(train.texts, tokens, PAIR_SPECIALS)
    mels = facts.features or 0
    metadata = {"tokenizer": tokenizer.to_json(), "rate": rate, "mels": mels}
    log_mel = LogMel(rate, mels)

    def examples(part: Recordings) -> SpeechExamples:
        return SpeechExamples(part, tokenizer, log_mel)

    facts = replace(facts, vocab=tokenizer.size)
    tests = None if test is None else examples(test)
    return DataSplits(examples(train), examples(held_out), facts, metadata, tests)
