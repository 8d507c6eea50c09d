"""Texts of differing lengths: batches are padded to their longest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from compiler.tasks.data.data_set import Tokens
from compiler.tasks.data_facts import DataFacts
from runtime.data.dataset import Batch, DataSplits
from runtime.data.tokenizer import BOS, EOS, PAD, PAIRS, Tokenizer, learn

Pair = tuple[str, str]


class PaddedExamples:
    """Examples whose columns are lists of ids: in a batch int[B, T], padded with `<pad>`."""

    def __init__(self, columns: Mapping[str, Sequence[Sequence[int]]]) -> None:
        self.columns = {role: _rows(column) for role, column in columns.items()}

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def lengths(self) -> list[int]:
        """How many ids each example has in the first column: what a batch is made of alike ones by."""
        return list(map(len, next(iter(self.columns.values()))))

    def __getitems__(self, indices: list[int]) -> Batch:
        return {
            role: pad_sequence([rows[i] for i in indices], True, PAD)
            for role, rows in self.columns.items()
        }


def _rows(column: Sequence[Sequence[int]]) -> Sequence[Tensor]:
    flat = torch.tensor([one for row in column for one in row], dtype=torch.int64)
    return torch.split(flat, [len(row) for row in column])


class LabelledTexts(PaddedExamples):
    """Texts with labels: `tokens` int[B, T], `mask` bool[B, T], which is false for padding, and `label` int[B]."""

    def __init__(self, tokens: Sequence[Sequence[int]], labels: Sequence[int]) -> None:
        super().__init__({"tokens": tokens})
        self.labels = torch.tensor(labels, dtype=torch.int64)

    def __getitems__(self, indices: list[int]) -> Batch:
        rows = self.columns["tokens"]
        sizes = torch.tensor([len(rows[i]) for i in indices])
        batch = super().__getitems__(indices)
        batch["mask"] = torch.arange(batch["tokens"].shape[1]) < sizes[:, None]
        batch["label"] = self.labels[torch.tensor(indices)]
        return batch


class TextPairs(PaddedExamples):
    """Pairs of texts: `source` int[B, S], which ends with `<eos>`, and `target` int[B, T + 1], from `<bos>` to `<eos>`.

    Attributes:
        texts: the pairs as they were read.
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
    tokens: Tokens,
    length: int,
    facts: DataFacts,
) -> DataSplits:
    """Texts with labels as data; the tokens are learned from the first part, texts cut off after `length`."""
    tokenizer = learn((text for text, _ in train), tokens, PAIRS)
    learned, judged = (
        LabelledTexts(
            [tokenizer.encode(text)[:length] for text, _ in part],
            [label for _, label in part],
        )
        for part in (train, held_out)
    )
    facts = replace(facts, vocab=tokenizer.size, classes=len(classes))
    metadata = {"tokenizer": tokenizer.to_json(), "classes": list(classes)}
    return DataSplits(learned, judged, facts, metadata)


def text_pairs(
    train: Sequence[Pair],
    held_out: Sequence[Pair],
    tokens: Tokens,
    shared: bool,
    facts: DataFacts,
) -> DataSplits:
    """Pairs as data; the tokens are learned from the first part, one vocabulary for both sides or one for each."""
    sources, targets = [one for one, _ in train], [other for _, other in train]
    source = learn(sources + targets if shared else sources, tokens, PAIRS)
    target = source if shared else learn(targets, tokens, PAIRS)
    return tokenized_pairs(train, held_out, source, target, facts)


def tokenized_pairs(
    train: Sequence[Pair],
    held_out: Sequence[Pair],
    source: Tokenizer,
    target: Tokenizer,
    facts: DataFacts,
) -> DataSplits:
    """Pairs as data, by tokenizers that are there already.

    Those held out are in the order of their sources' lengths: batches of them have little padding.
    """
    held_out = sorted(held_out, key=lambda pair: len(source.encode(pair[0])))
    facts = replace(facts, vocab=source.size, target_vocab=target.size)
    metadata = {"source": source.to_json(), "target": target.to_json()}
    learned, judged = (TextPairs(part, source, target) for part in (train, held_out))
    return DataSplits(learned, judged, facts, metadata)
