"""Texts with a tag for each token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import torch

from compiler.tasks.data_facts import DataFacts
from runtime.data.dataset import Batch, DataSplits
from runtime.data.padded_texts import PaddedExamples
from runtime.data.tokenizer import PAIR_SPECIALS, SpacedTokenizer

TaggedWords = Sequence[tuple[str, str]]
"""Tokens without spaces, each with its tag."""
OUTSIDE = "O"
"""The tag of a token that has nothing to tell."""


class TaggedTexts(PaddedExamples):
    """Batches of `tokens` int[B, T], `tags` int[B, T] and `mask` bool[B, T]; the mask is False for padding.

    Args:
        texts: the tokens with their tags.
        tokenizer: has the numbers of the tokens.
        tags: the names of the tags in the order of their numbers.
    """

    def __init__(
        self,
        texts: Sequence[TaggedWords],
        tokenizer: SpacedTokenizer,
        tags: Sequence[str],
    ) -> None:
        self.texts = list(texts)
        numbers = {tag: number for number, tag in enumerate(tags)}
        super().__init__(
            {
                "tokens": [
                    tokenizer.encode(" ".join(word for word, _ in one)) for one in texts
                ],
                "tags": [[numbers[tag] for _, tag in one] for one in texts],
            }
        )

    def __getitems__(self, indices: list[int]) -> Batch:
        batch = super().__getitems__(indices)
        sizes = torch.tensor([len(self.texts[i]) for i in indices])
        batch["mask"] = torch.arange(batch["tokens"].shape[1]) < sizes[:, None]
        return batch


def tagged_texts(
    train: Sequence[TaggedWords],
    held_out: Sequence[TaggedWords],
    tags: Sequence[str],
    words: int,
    facts: DataFacts,
    test: Sequence[TaggedWords] | None = None,
) -> DataSplits:
    """A data set of tagged texts, none of them empty, cut off at the length that the facts have.

    Args:
        train, held_out, test: the texts.
        tags: the names of all tags.
        words: size of the vocabulary, which is learned from the training texts.
        facts: the sizes that the spec declares.
    """
    counts = Counter(word for text in train for word, _ in text)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    known = ranked[: words - len(PAIR_SPECIALS)]
    tokenizer = SpacedTokenizer(known, PAIR_SPECIALS, words)

    def examples(part: Sequence[TaggedWords]) -> TaggedTexts:
        return TaggedTexts([text[: facts.length] for text in part], tokenizer, tags)

    metadata = {"tokenizer": tokenizer.to_json(), "tags": list(tags)}
    facts = replace(facts, vocab=words, classes=len(tags))
    tests = None if test is None else examples(test)
    return DataSplits(examples(train), examples(held_out), facts, metadata, tests)
