"""Exact matches and F1 of answers, as the evaluation of SQuAD computes them (Rajpurkar et al., 2016)."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from typing import Final

_ARTICLES: Final = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)


def answer_metrics(
    found: Sequence[str], expected: Sequence[Sequence[str]]
) -> dict[str, float]:
    """The fraction of right answers, `exact`, and the mean F1 of their words, by the best of those expected."""
    exact = f1 = 0.0
    for answer, answers in zip(found, expected, strict=True):
        exact += max(normal(answer) == normal(one) for one in answers)
        f1 += max(word_f1(answer, one) for one in answers)
    count = max(1, len(found))
    return {"exact": exact / count, "f1": f1 / count}


def normal(answer: str) -> str:
    """An answer in small letters, without articles, punctuation and needless spaces.

    >>> normal("The  Red Sea.")
    'red sea'
    """
    plain = answer.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", plain).split())


def word_f1(found: str, expected: str) -> float:
    """The F1 of the words of an answer.

    >>> word_f1("the red sea", "Red Sea coast")
    0.8
    """
    mine, theirs = normal(found).split(), normal(expected).split()
    if not mine or not theirs:
        return float(mine == theirs)
    common = sum((Counter(mine) & Counter(theirs)).values())
    return 2 * common / (len(mine) + len(theirs))
