"""Texts of different lengths, padded to the longest of their batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from compiler.tasks.data_facts import DataFacts
from compiler.tasks.data_set import TextTokens, Tokens
from runtime.data.data_section import DataSection
from runtime.data.dataset import Batch, DataSplits
from runtime.data.make_tokenizer import make_tokenizer
from runtime.data.tokenizer import (
    BOS,
    EOS,
    PAD,
    PAIR_SPECIALS,
    Tokenizer,
    train_tokenizer,
)

Pair = tuple[str, str]
"""A source and a target."""


class PaddedExamples:
    """Examples whose columns are lists of ids: batches of int[B, T], padded with `<pad>`.

    Args:
        columns: the ids of each example, by role.
        pad: the id of padding.
    """

    def __init__(
        self, columns: Mapping[str, Sequence[Sequence[int]]], pad: int = PAD
    ) -> None:
        self.pad = pad
        self._flat = {role: _flat(column) for role, column in columns.items()}
        self.columns = {
            role: torch.split(self._flat[role], list(map(len, column)))
            for role, column in columns.items()
        }

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def lengths(self) -> list[int]:
        """The length of each example's first column; batches have examples of similar length."""
        return list(map(len, next(iter(self.columns.values()))))

    def __getitems__(self, indices: list[int]) -> Batch:
        return {
            role: pad_sequence([rows[i] for i in indices], True, self.pad)
            for role, rows in self.columns.items()
        }

    def tensors(self) -> Iterable[Tensor]:
        for role, rows in self.columns.items():
            yield torch.tensor(list(map(len, rows)))
            yield self._flat[role]

    def item(self, index: int) -> Iterable[Tensor]:
        """The tensors of one example."""
        for rows in self.columns.values():
            yield rows[index]


def _flat(column: Sequence[Sequence[int]]) -> Tensor:
    """The ids of all rows of a column, one row after the other."""
    return torch.tensor([id for row in column for id in row], dtype=torch.int64)


class LabelledTexts(PaddedExamples):
    """Texts with something about each: batches of `tokens` int[B, T], `mask` bool[B, T] and the answers.

    The mask is False for padding.

    Args:
        texts: the texts.
        answers: what is to be predicted of each text, [N, ...] by role.
        tokenizer: cuts them into tokens, and has the id of padding.
        length: maximum number of tokens; longer texts are truncated.
    """

    def __init__(
        self, texts: Sequence[str], answers: Batch, tokenizer: Tokenizer, length: int
    ) -> None:
        tokens = [tokenizer.encode_whole(text, length) for text in texts]
        super().__init__({"tokens": tokens}, tokenizer.pad)
        self.texts, self.answers = list(texts), answers

    def __getitems__(self, indices: list[int]) -> Batch:
        rows = self.columns["tokens"]
        sizes = torch.tensor([len(rows[i]) for i in indices])
        batch = super().__getitems__(indices)
        batch["mask"] = torch.arange(batch["tokens"].shape[1]) < sizes[:, None]
        chosen = torch.tensor(indices)
        return batch | {role: one[chosen] for role, one in self.answers.items()}

    def tensors(self) -> Iterable[Tensor]:
        yield from super().tensors()
        yield from self.answers.values()

    def item(self, index: int) -> Iterable[Tensor]:
        yield from super().item(index)
        yield from (one[index] for one in self.answers.values())


class TextPairs(PaddedExamples):
    """Pairs of texts: batches of `source` int[B, S] and `target` int[B, T + 1].

    A source ends with `<eos>`; a target starts with `<bos>` and ends with `<eos>`.

    Args:
        texts: the pairs.
        source, target: the tokenizer of each side.
    """

    def __init__(
        self, texts: Sequence[Pair], source: Tokenizer, target: Tokenizer
    ) -> None:
        self.texts = list(texts)
        super().__init__(
            {
                "source": [[*source.encode(one), EOS] for one, _ in texts],
                "target": [[BOS, *target.encode(other), EOS] for _, other in texts],
            }
        )


def labelled_texts(
    train: Sequence[tuple[str, int]],
    held_out: Sequence[tuple[str, int]],
    classes: Sequence[str],
    tokens: TextTokens,
    length: int,
    facts: DataFacts,
    section: DataSection,
    test: Sequence[tuple[str, int]] | None = None,
) -> DataSplits:
    """A data set of labelled texts; a tokenizer is trained on the training texts, unless it is a published one.

    Args:
        train, held_out, test: texts and labels.
        classes: names of the classes.
        tokens: the tokenizer that the spec declares.
        length: maximum number of tokens; longer texts are truncated.
        facts: the sizes that the spec declares.
        section: where the data set is declared.

    Raises:
        SpecError: if a published tokenizer cannot be read.
    """
    texts = (text for text, _ in train)
    tokenizer = make_tokenizer(texts, tokens, PAIR_SPECIALS, section)

    def examples(part: Sequence[tuple[str, int]]) -> LabelledTexts:
        labels = torch.tensor([label for _, label in part], dtype=torch.int64)
        texts = [text for text, _ in part]
        return LabelledTexts(texts, {"label": labels}, tokenizer, length)

    facts = replace(
        facts,
        vocab=tokenizer.size,
        classes=len(classes),
        class_names=tuple(classes),
    )
    metadata = {"tokenizer": tokenizer.to_json(), "classes": list(classes)}
    tests = None if test is None else examples(test)
    return DataSplits(examples(train), examples(held_out), facts, metadata, tests)


def text_pairs(
    train: Sequence[Pair],
    held_out: Sequence[Pair],
    tokens: Tokens,
    shared: bool,
    facts: DataFacts,
    test: Sequence[Pair] | None = None,
) -> DataSplits:
    """A data set of pairs; the tokenizers are trained on the training pairs.

    Args:
        train, held_out, test: the pairs.
        tokens: the tokenizer that the spec declares.
        shared: whether both sides share a vocabulary.
        facts: the sizes that the spec declares.
    """
    sources, targets = ([pair[i] for pair in train] for i in (0, 1))
    texts = sources + targets if shared else sources
    source = train_tokenizer(texts, tokens, PAIR_SPECIALS)
    target = source if shared else train_tokenizer(targets, tokens, PAIR_SPECIALS)
    return tokenized_pairs(train, held_out, source, target, facts, test)


def tokenized_pairs(
    train: Sequence[Pair],
    held_out: Sequence[Pair],
    source: Tokenizer,
    target: Tokenizer,
    facts: DataFacts,
    test: Sequence[Pair] | None = None,
) -> DataSplits:
    """A data set of pairs, with trained tokenizers.

    Held-out and test pairs are sorted by the length of their source, so that batches have little padding.
    """
    facts = replace(facts, vocab=source.size, target_vocab=target.size)
    metadata = {"source": source.to_json(), "target": target.to_json()}

    def by_length(pairs: Sequence[Pair]) -> TextPairs:
        ordered = sorted(pairs, key=lambda pair: len(source.encode(pair[0])))
        return TextPairs(ordered, source, target)

    return DataSplits(
        TextPairs(train, source, target),
        by_length(held_out),
        facts,
        metadata,
        None if test is None else by_length(test),
    )
