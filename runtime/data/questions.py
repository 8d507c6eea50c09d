"""Questions on passages, whose answers are parts of the passages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch

from compiler.tasks.data_facts import DataFacts
from runtime.data.dataset import Batch, DataSplits
from runtime.data.padded_texts import PaddedExamples
from runtime.data.tokenizer import EOS, PAIR_SPECIALS, SpacedTokenizer

_TOKEN: Final = re.compile(r"\w+(?:['\u2019-]\w+)*|[^\w\s]")
SEPARATOR: Final = EOS
"""The token between question and passage."""
Place = tuple[int, int]
"""The first character, and the one after the last."""


@dataclass(frozen=True)
class Question:
    """A question on a passage.

    Attributes:
        question, passage: the texts.
        answers: all answers that are right, as texts.
        start: the first character of the first answer in the passage.
    """

    question: str
    passage: str
    answers: tuple[str, ...]
    start: int


@dataclass(frozen=True)
class ReadQuestion:
    """A question and its passage as tokens.

    Attributes:
        ids: of the question, the separator and the passage.
        first: the position of the passage's first token.
        places: of the passage's tokens.
    """

    ids: list[int]
    first: int
    places: Sequence[Place]

    def span(self, question: Question) -> tuple[int, int] | None:
        """The positions of the first and the last token of the first answer; None if they were cut off."""
        end = question.start + len(question.answers[0])
        inside = [
            position
            for position, (a, b) in enumerate(self.places, self.first)
            if a < end and b > question.start
        ]
        whole = inside and self.places[inside[-1] - self.first][1] >= end
        return (inside[0], inside[-1]) if whole else None

    def text(self, passage: str, start: int, end: int) -> str:
        """The part of the passage from one position to another."""
        return passage[
            self.places[start - self.first][0] : self.places[end - self.first][1]
        ]


def read_windows(
    question: str,
    passage: str,
    tokenizer: SpacedTokenizer,
    length: int,
    stride: int | None = None,
) -> list[ReadQuestion]:
    """The tokens of a question and its passage, in windows of at most a number of tokens of both.

    Args:
        question, passage: the texts.
        tokenizer: has the numbers of the tokens.
        length: maximum number of tokens of a window.
        stride: number of tokens from one window to the next; None: one window, in which a long passage is cut off.
    """
    asked = tokenizer.encode(" ".join(tokens(question)))[: length // 2]
    room = max(0, length - len(asked) - 1)
    places = [one.span() for one in _TOKEN.finditer(passage)]
    step = max(1, min(stride or room, room))
    beyond = max(0, len(places) - room) if stride else 0
    starts = range(0, beyond + step, step)
    return [
        _window(passage, asked, places[start : start + room], tokenizer)
        for start in starts
    ]


def _window(
    passage: str, asked: list[int], places: Sequence[Place], tokenizer: SpacedTokenizer
) -> ReadQuestion:
    told = tokenizer.encode(" ".join(passage[a:b].lower() for a, b in places))
    return ReadQuestion([*asked, SEPARATOR, *told], len(asked) + 1, places)


def tokens(text: str) -> list[str]:
    """Words and punctuation marks, in small letters."""
    return [one.lower() for one in _TOKEN.findall(text)]


class QuestionExamples(PaddedExamples):
    """Batches of `tokens`, `segment_ids` int[B, T], `mask` bool[B, T], `start` and `end` int[B].

    An example is a window of a passage: `read` has its tokens, `numbers` the number of its question. An answer that is
    not in it has the separator for its place.

    Args:
        questions: the questions.
        tokenizer: has the numbers of the tokens.
        length: maximum number of tokens.
        stride: as for `read_windows`.
    """

    def __init__(
        self,
        questions: Sequence[Question],
        tokenizer: SpacedTokenizer,
        length: int,
        stride: int | None = None,
    ) -> None:
        self.questions = list(questions)
        windows = [
            (number, read)
            for number, one in enumerate(questions)
            for read in read_windows(
                one.question, one.passage, tokenizer, length, stride
            )
        ]
        self.numbers = [number for number, _ in windows]
        self.read = [read for _, read in windows]
        spans = [
            read.span(self.questions[number]) or (read.first - 1, read.first - 1)
            for number, read in windows
        ]
        super().__init__(
            {
                "tokens": [one.ids for one in self.read],
                "segment_ids": [
                    [int(i >= one.first) for i in range(len(one.ids))]
                    for one in self.read
                ],
                "span": spans,
            }
        )

    def __getitems__(self, indices: list[int]) -> Batch:
        batch = super().__getitems__(indices)
        sizes = torch.tensor([len(self.read[i].ids) for i in indices])
        batch["mask"] = torch.arange(batch["tokens"].shape[1]) < sizes[:, None]
        batch["start"], batch["end"] = batch.pop("span").unbind(1)
        return batch


def questions(
    train: Sequence[Question],
    held_out: Sequence[Question],
    words: int,
    facts: DataFacts,
    stride: int | None = None,
    test: Sequence[Question] | None = None,
) -> DataSplits:
    """A data set of questions; those to train on whose answer is in no window are left out.

    Args:
        train, held_out, test: the questions.
        words: size of the vocabulary, which is learned from the training part.
        facts: the sizes that the spec declares.
        stride: as for `read_windows`.
    """
    counts: Counter[str] = Counter()
    for one in train:
        counts.update(tokens(one.question))
    for passage in {one.passage for one in train}:
        counts.update(tokens(passage))
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    known = ranked[: words - len(PAIR_SPECIALS)]
    tokenizer = SpacedTokenizer(known, PAIR_SPECIALS, words)
    whole = [
        one
        for one in train
        if any(
            read.span(one)
            for read in read_windows(
                one.question, one.passage, tokenizer, facts.length, stride
            )
        )
    ]

    def examples(part: Sequence[Question]) -> QuestionExamples:
        return QuestionExamples(part, tokenizer, facts.length, stride)

    metadata = {"tokenizer": tokenizer.to_json()}
    tests = None if test is None else examples(test)
    sizes = replace(facts, vocab=words)
    return DataSplits(examples(whole), examples(held_out), sizes, metadata, tests)
