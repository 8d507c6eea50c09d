"""English verses in small letters, tagged with their capitals and punctuation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from compiler.tasks.data.punctuation import CASES, MARKS, Punctuation
from runtime.data.bible import verses
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.tagged_texts import OUTSIDE, TaggedWords, tagged_texts

TAGS: Final = [case + mark or OUTSIDE for case in CASES for mark in MARKS]
_WORD: Final = re.compile(r"([^\W\d_]+(?:[\u2019'-][^\W\d_]+)*)[^\w,.;:?!]*([,.;:?!]?)")


def load(options: Punctuation, section: DataSection) -> DataSplits:
    """The verses of the training books and of the held-out books."""
    parts: dict[bool, list[TaggedWords]] = {False: [], True: []}
    for verse in verses():
        parts[verse.held_out].append(tagged(verse.english))
    return tagged_texts(parts[False], parts[True], TAGS, options.words, options.facts())


def tagged(text: str) -> TaggedWords:
    """The words of a text in small letters, with their tags; all but words and marks is dropped.

    >>> tagged("And the LORD said, Go!")
    [('and', 'Aa'), ('the', 'O'), ('lord', 'AA'), ('said', ','), ('go', 'Aa!')]
    """
    return [
        (word.lower(), _case(word) + mark or OUTSIDE)
        for word, mark in _WORD.findall(text)
    ]


def _case(word: str) -> str:
    if word.isupper() and len(word) > 1:
        return "AA"
    return "Aa" if word[0].isupper() else ""


def restored(text: str, tags: Sequence[str]) -> str:
    """The words of a text with the capitals and punctuation of their tags.

    >>> restored("go up", ["Aa", "!"])
    'Go up!'
    """
    words = [word for word, _ in tagged(text)]
    return " ".join(map(_restored, words, tags))


def _restored(word: str, tag: str) -> str:
    tag = "" if tag == OUTSIDE else tag
    case = tag.rstrip("".join(MARKS))
    shown = {"AA": word.upper(), "Aa": word[:1].upper() + word[1:]}.get(case, word)
    return shown + tag[len(case) :]
