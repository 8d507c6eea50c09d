"""Running text as windows of tokens: the examples of a language model."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from compiler.tasks.data.kjv import Kjv
from compiler.tasks.data.text import Text
from runtime.data.dataset import Batch, DataSplits
from runtime.data.tokenizer import TEXT, learn


class TokenWindows:
    """Windows of a stream of tokens, one behind the other; each starts with the last token of the one before.

    So every token but the first is told once. What is left at the end and fills no window is left out.
    A batch is `tokens`: int[B, length + 1].
    """

    def __init__(self, stream: Tensor, length: int) -> None:
        self.stream, self.length = stream, length
        self._offsets = torch.arange(length + 1)

    def __len__(self) -> int:
        return max(len(self.stream) - 1, 0) // self.length

    def __getitems__(self, indices: list[int]) -> Batch:
        starts = torch.tensor(indices) * self.length
        return {"tokens": self.stream[starts[:, None] + self._offsets]}


def running_text(train: str, held_out: str, options: Kjv | Text) -> DataSplits:
    """Two texts as data; the tokens are learned from the first.

    `metadata` has the tokenizer, and how many characters a token of the held-out text has.
    """
    lines = train.splitlines(keepends=True)
    tokenizer = learn(lines, options.tokens, TEXT)
    streams = [tokenizer.encode(text) for text in (train, held_out)]
    metadata = {
        "tokenizer": tokenizer.to_json(),
        "characters_per_token": len(held_out) / max(len(streams[1]), 1),
    }
    facts = replace(options.facts(), vocab=tokenizer.size)
    learned, judged = (
        TokenWindows(torch.tensor(ids, dtype=torch.int64), options.length)
        for ids in streams
    )
    return DataSplits(learned, judged, facts, metadata)
