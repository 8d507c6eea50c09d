"""Running text as windows of tokens: the examples of a language model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from compiler.tasks.data.kjv import Kjv
from compiler.tasks.data.text import Text
from runtime.data.data_section import DataSection
from runtime.data.dataset import Batch, DataSplits
from runtime.data.make_tokenizer import make_tokenizer
from runtime.data.tokenizer import TEXT_SPECIALS


class TokenWindows:
    """Consecutive windows of a stream of tokens: batches of `tokens` int[B, length + 1].

    A window starts with the last token of the window before it, so that every token but the
    first is predicted once. Tokens at the end that do not fill a window are dropped.

    Args:
        stream: int[N].
        length: number of tokens of a window to predict.
    """

    def __init__(self, stream: Tensor, length: int) -> None:
        self.stream, self.length = stream, length
        self._offsets = torch.arange(length + 1)

    def __len__(self) -> int:
        return max(len(self.stream) - 1, 0) // self.length

    def __getitems__(self, indices: list[int]) -> Batch:
        starts = torch.tensor(indices) * self.length
        return {"tokens": self.stream[starts[:, None] + self._offsets]}

    def tensors(self) -> Iterable[Tensor]:
        return (self.stream,)


def running_text(
    train: str,
    held_out: str,
    options: Kjv | Text,
    section: DataSection,
    test: str | None = None,
) -> DataSplits:
    """Texts as a data set; a tokenizer is trained on the first, unless it is a published one.

    The metadata are `tokenizer` and `characters_per_token`, the mean of the held-out text; of the training text
    if nothing is held out.
    """
    lines = train.splitlines(keepends=True)
    tokenizer = make_tokenizer(lines, options.tokens, TEXT_SPECIALS, section)

    def windows(text: str) -> tuple[TokenWindows, float]:
        ids = tokenizer.encode(text)
        stream = torch.tensor(ids, dtype=torch.int64)
        return TokenWindows(stream, options.length), len(text) / max(len(ids), 1)

    train_windows, train_ratio = windows(train)
    held_out_windows, ratio = windows(held_out)
    metadata = {
        "tokenizer": tokenizer.to_json(),
        "characters_per_token": ratio if held_out else train_ratio,
    }
    facts = replace(options.facts(), vocab=tokenizer.size)
    data = DataSplits(train_windows, held_out_windows, facts, metadata)
    if test is None:
        return data
    test_windows, test_ratio = windows(test)
    own = {"characters_per_token": test_ratio}
    return replace(data, test=test_windows, test_metadata=own)
