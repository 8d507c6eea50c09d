"""Translate many sequences in batches, with a network that predicts the next token of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from compiler.tasks.decoding import Decoding
from runtime.data.tokenizer import BOS, EOS, PAD
from runtime.decode import NextLogits, Sampling, Stepper, beam_search, sample

Logits = Callable[[Tensor, Tensor], Tensor]
"""Sources [N, ...] and target prefixes int[N, T] -> logits float[N, T, vocab]."""

_MAX_HYPOTHESES: Final = 256
"""Maximum number of hypotheses that are decoded together."""
Begin = Callable[[Tensor, int], Stepper | None]
"""Sources [N, ...] and the largest number of tokens -> their next logits from a state, if the network has one."""


def translate(
    logits: Logits,
    sources: Sequence[Tensor],
    decoding: Decoding,
    max_new_tokens: int,
    begin: Begin = lambda source, length: None,
) -> list[list[int]]:
    """Translate sources int[S] into at most `max_new_tokens` ids each, without `<eos>`.

    Sources of similar length are batched together.

    Raises:
        RequestError: if logits are NaN or infinite.
    """
    translations: list[list[int]] = [[] for _ in sources]
    order = iter(sorted(range(len(sources)), key=lambda i: len(sources[i])))
    while batch := list(islice(order, max(1, _MAX_HYPOTHESES // decoding.beam))):
        source = pad_sequence([sources[i] for i in batch], True, PAD)
        rows = decode_batch(logits, source, decoding, max_new_tokens, begin)
        for i, row in zip(batch, rows, strict=True):
            translations[i] = row
    return translations


def decode_batch(
    logits: Logits,
    source: Tensor,
    decoding: Decoding,
    max_new_tokens: int,
    begin: Begin = lambda source, length: None,
) -> list[list[int]]:
    """What is decoded for each of the sources [N, ...]: at most `max_new_tokens` ids, without `<eos>`.

    Raises:
        RequestError: if logits are NaN or infinite.
    """
    repeated = source.repeat_interleave(decoding.beam, 0)
    following = begin(repeated, max_new_tokens) or _next_logits(logits, repeated)
    rows = _decoded(following, source, decoding, max_new_tokens).tolist()
    return [row[: row.index(EOS)] if EOS in row else row for row in rows]


def _decoded(
    following: NextLogits, source: Tensor, decoding: Decoding, max_new_tokens: int
) -> Tensor:
    """The ids int[B, n] that are decoded for a batch of sources [B, ...]."""
    bos = torch.full((len(source), 1), BOS, device=source.device)
    if decoding.beam == 1:
        greedy = Sampling(max_new_tokens=max_new_tokens, temperature=0)
        return sample(following, bos, greedy, eos=EOS, pad=PAD)
    return beam_search(
        following,
        bos,
        decoding.beam,
        max_new_tokens,
        EOS,
        decoding.length_penalty,
        PAD,
    )


def _next_logits(logits: Logits, source: Tensor) -> NextLogits:
    """The logits of the next token for these sources; 0 for rows that have ended."""

    def next_logits(tokens: Tensor) -> Tensor:
        (open_rows,) = (tokens != EOS).all(1).nonzero(as_tuple=True)
        found = logits(source[open_rows], tokens[open_rows])[:, -1]
        out = found.new_zeros(len(tokens), found.shape[1])
        return out.index_copy(0, open_rows, found)

    return next_logits
