"""Decode the output of connectionist temporal classification (Graves et al., 2006); token 0 is the blank."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise
from typing import Final

from torch import Tensor

BLANK: Final = 0


def decode_ctc(logits: Tensor, beam: int = 1) -> list[int]:
    """The tokens of logits float[T, vocab]: those of the likeliest path, or with a beam of the likeliest text.

    A text is as likely as all its paths together; the search keeps the `beam` best prefixes (Hannun et al., 2014).
    """
    if beam == 1:
        return collapse(logits.argmax(-1).tolist())
    scores = logits.double().log_softmax(-1)
    # The probability of a prefix, by whether its path ends in a blank or in its last token.
    found: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}
    for row in scores:
        best, tokens = row.topk(min(beam + 1, len(row)))
        following = dict(zip(tokens.tolist(), best.tolist(), strict=True))
        found = _best(_extended(found, following, row), beam)
    (likeliest,) = _best(found, 1)
    return list(likeliest)


def collapse(path: list[int]) -> list[int]:
    """The tokens of a path: runs of the same token are one, and blanks are dropped.

    >>> collapse([0, 5, 5, 0, 5, 7, 7])
    [5, 5, 7]
    """
    before = [BLANK, *path[:-1]]
    return [
        token
        for token, last in zip(path, before, strict=True)
        if token not in (BLANK, last)
    ]


def needed_positions(tokens: list[int]) -> int:
    """The shortest path of tokens: between equal ones there is a blank.

    >>> needed_positions([5, 5, 7])
    4
    """
    return len(tokens) + sum(a == b for a, b in pairwise(tokens))


_Prefixes = dict[tuple[int, ...], tuple[float, float]]
"""Prefixes with the log-probabilities of their paths that end in a blank, and in their last token."""


def _extended(found: _Prefixes, following: dict[int, float], row: Tensor) -> _Prefixes:
    """The prefixes after one more position, whose scores are `row`; only `following` tokens go on."""
    blank: defaultdict[tuple[int, ...], float] = defaultdict(lambda: -math.inf)
    token: defaultdict[tuple[int, ...], float] = defaultdict(lambda: -math.inf)
    silent = float(row[BLANK])
    for prefix, (ends_blank, ends_token) in found.items():
        either = _either(ends_blank, ends_token)
        blank[prefix] = _either(blank[prefix], either + silent)
        if prefix:
            again = ends_token + float(row[prefix[-1]])
            token[prefix] = _either(token[prefix], again)
        for one, score in following.items():
            if one == BLANK:
                continue
            longer = (*prefix, one)
            start = ends_blank if prefix[-1:] == (one,) else either
            token[longer] = _either(token[longer], start + score)
    return {prefix: (blank[prefix], token[prefix]) for prefix in {**blank, **token}}


def _best(prefixes: _Prefixes, beam: int) -> _Prefixes:
    ranked = sorted(prefixes.items(), key=lambda one: _either(*one[1]), reverse=True)
    return dict(ranked[:beam])


def _either(a: float, b: float) -> float:
    """The logarithm of the sum of two probabilities."""
    high, low = max(a, b), min(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
