"""What generated images are conditioned on: the number of a class, or a caption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from compiler.diagnostics.diagnostic import RequestError, suggest
from compiler.diagnostics.text import listed, shorten
from runtime.data.dataset import Batch
from runtime.data.encode_captions import encode_captions
from runtime.data.tokenizer import Tokenizer

ROLES = ("label", "tokens")
"""The roles of conditions in batches."""


@dataclass(frozen=True)
class ImageConditions:
    """All conditions of the training data.

    Attributes:
        rows: by role, `label` int[K] and, of captioned images, `tokens` int[K, T].
        names: the name of each class, or its caption.
        tokenizer: of the captions; None for classes.
    """

    rows: Batch
    names: tuple[str, ...]
    tokenizer: Tokenizer | None = None

    @classmethod
    def of(cls, metadata: Mapping[str, Any], length: int) -> Self:
        """The conditions that a run stores; captions have `length` tokens."""
        captions = metadata.get("captions")
        if captions is None:
            names = tuple(metadata.get("classes", ()))
            return cls({"label": torch.arange(len(names))}, names)
        tokenizer = Tokenizer.from_json(metadata["tokenizer"])
        names = tuple(captions.values())
        tokens = encode_captions(tokenizer, names, length)
        labels = torch.tensor(list(map(int, captions)))
        return cls({"label": labels, "tokens": tokens}, names, tokenizer)

    def __len__(self) -> int:
        return len(self.names)

    def chosen(self, indices: Tensor) -> Batch:
        """The conditions with these indices."""
        return {role: rows[indices] for role, rows in self.rows.items()}

    def random(self, count: int) -> Batch:
        """Random conditions, all as likely."""
        return self.chosen(torch.randint(len(self), (count,)))

    def requested(self, label: str, prompt: str, count: int) -> Batch:
        """What a user asks for, `count` times.

        Raises:
            RequestError: if there is no such class, or the words of the caption are unknown.
        """
        if prompt:
            return self._of_caption(prompt, count)
        if label not in self.names:
            help = suggest(label, self.names) or f"the classes are {listed(self.names)}"
            raise RequestError(f"there is no class {shorten(label)}: {help}")
        return self.chosen(torch.full((count,), self.names.index(label)))

    def _of_caption(self, prompt: str, count: int) -> Batch:
        assert self.tokenizer is not None
        unknown = self.tokenizer.unknown(prompt)
        if unknown:
            message = f"no caption of the training data has {listed(unknown)}"
            raise RequestError(message)
        length = self.rows["tokens"].shape[1]
        tokens = encode_captions(self.tokenizer, [prompt] * count, length)
        return {"label": torch.zeros(count, dtype=torch.int64), "tokens": tokens}


def conditions_of(batch: Batch) -> Batch:
    """The conditions in a batch of data."""
    return {role: batch[role] for role in ROLES if role in batch}
