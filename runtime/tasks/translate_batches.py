"""Translations of many sequences by a network that tells the next token of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from compiler.tasks.kinds.translation import Decoding
from runtime.data.tokenizer import BOS, EOS, PAD
from runtime.decode import NextLogits, Sampling, beam_search, sample

Logits = Callable[[Tensor, Tensor], Tensor]
"""Sources int[N, S] and what is given of targets int[N, T] -> logits float[N, T, vocab]."""

_ROWS: Final = 256
"""Hypotheses that are decoded together, at most."""


def translate(
    logits: Logits, sources: Sequence[Tensor], decoding: Decoding, most: int
) -> list[list[int]]:
    """Translations, of `most` tokens at most, of sources int[S]; the `<eos>` at their end is left out.

    Sources of about one length are translated together.

    Raises:
        RequestError: where the logits are not numbers.
    """
    found: list[list[int]] = [[] for _ in sources]
    order = iter(sorted(range(len(sources)), key=lambda i: len(sources[i])))
    while chunk := list(islice(order, max(1, _ROWS // decoding.beam))):
        source = pad_sequence([sources[i] for i in chunk], True, PAD)
        told = _decoded(logits, source, decoding, most).tolist()
        for i, row in zip(chunk, told, strict=True):
            found[i] = row[: row.index(EOS)] if EOS in row else row
    return found


def _decoded(logits: Logits, source: Tensor, decoding: Decoding, most: int) -> Tensor:
    """Translations of one batch int[B, S], int[B, n]."""
    bos = source.new_full((len(source), 1), BOS)
    if decoding.beam == 1:
        greedy = Sampling(tokens=most, temperature=0)
        return sample(_after(logits, source), bos, greedy, eos=EOS, pad=PAD)
    every = source.repeat_interleave(decoding.beam, 0)
    exponent = decoding.length_penalty
    return beam_search(
        _after(logits, every), bos, decoding.beam, most, EOS, exponent, PAD
    )


def _after(logits: Logits, source: Tensor) -> NextLogits:
    """The next token's logits, of these sources; of rows that have ended they are 0."""

    def next_logits(tokens: Tensor) -> Tensor:
        (going,) = (tokens != EOS).all(1).nonzero(as_tuple=True)
        told = logits(source[going], tokens[going])[:, -1]
        out = told.new_zeros(len(tokens), told.shape[1])
        return out.index_copy(0, going, told)

    return next_logits
