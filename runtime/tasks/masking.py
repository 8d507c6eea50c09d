"""Masked tokens (Devlin et al., 2018), and encoders that read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

import torch
from torch import Tensor

from compiler.tasks.ports import bound
from runtime.data.tokenizer import BpeTokenizer, Tokenizer
from runtime.tasks.learner import Learner

MASK: Final = "[MASK]"
_MASKED, _RANDOM = 0.8, 0.1
"""Shares of the chosen tokens that are replaced by the mask, and by a random token."""


@dataclass(frozen=True)
class Masked:
    """Texts of which some tokens were chosen.

    Attributes:
        tokens: the texts with the chosen tokens replaced, int[B, T].
        chosen: which were chosen, bool[B, T].
    """

    tokens: Tensor
    chosen: Tensor

    @classmethod
    def of(
        cls,
        tokens: Tensor,
        share: float,
        vocab: int,
        generator: torch.Generator | None = None,
    ) -> Self:
        """Texts int[B, T] with as many tokens of each chosen at random as `num_chosen` says.

        Args:
            tokens: the texts.
            share: the share of the tokens that is chosen.
            vocab: number of tokens; the mask is the next one, and token 0 is none of a text.
            generator: of random numbers, on the CPU; None: the global one.
        """
        shape, count = tokens.shape, num_chosen(tokens.shape[1], share)
        order = torch.rand(shape, generator=generator).argsort(1)
        chosen = (order < count).to(tokens.device)
        fate = torch.rand(shape, generator=generator).to(tokens.device)
        random = torch.randint(1, vocab, shape, generator=generator).to(tokens.device)
        made = torch.where(fate < _MASKED + _RANDOM, random, tokens)
        made = torch.where(fate < _MASKED, vocab, made)
        return cls(torch.where(chosen, made, tokens), chosen)


def num_chosen(length: int, share: float) -> int:
    """The number of tokens that are chosen of a text, at least one."""
    return max(1, round(length * share))


def encoded(learner: Learner[Any], network: str, tokens: Tensor) -> Tensor:
    """The output `logits` of an encoder for whole texts int[B, T], without padding; float32."""
    roles = {"tokens": tokens}
    inputs = learner.instances[network].scope.inputs
    if learner.task.has(inputs, "mask"):
        roles["mask"] = torch.ones_like(tokens, dtype=torch.bool)
    if learner.task.has(inputs, "segment_ids"):
        roles["segment_ids"] = torch.zeros_like(tokens)
    outputs = learner.call(network, **roles)
    return outputs[bound(outputs, "logits", learner.task.ports)].float()


def held_out_masks(
    batches: Iterable[Tensor], share: float, vocab: int, seed: int
) -> Iterable[tuple[Tensor, Masked]]:
    """Texts int[B, T] and the same ones masked, the same way in every evaluation."""
    generator = torch.Generator().manual_seed(seed)
    for tokens in batches:
        yield tokens, Masked.of(tokens, share, vocab, generator)


def encode_masked(text: str, tokenizer: Tokenizer) -> list[int]:
    """The tokens of a text; each `[MASK]` in it is one token, the one after the last of the vocabulary."""
    ids: list[int] = []
    parts = text.split(MASK)
    for i, part in enumerate(parts):
        # A token of byte pairs has the space before its word.
        last = i == len(parts) - 1
        kept = (
            part
            if last or not isinstance(tokenizer, BpeTokenizer)
            else part.rstrip(" ")
        )
        ids += tokenizer.encode(kept)
        ids += [] if last else [tokenizer.size]
    return ids
