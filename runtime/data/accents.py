"""Spanish verses without accents, tagged with the vowels that have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from compiler.tasks.data.accents import VOWELS, Accents
from runtime.data.bible import verses
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits
from runtime.data.tagged_texts import OUTSIDE, TaggedWords, tagged_texts

TAGS: Final = [OUTSIDE, *(str(number) for number in range(1, VOWELS + 1))]
_WORD: Final = re.compile(r"[^\W\d_]+(?:[\u2019'-][^\W\d_]+)*")
_PLAIN, _ACCENTED = "aeiouAEIOU", "áéíóúÁÉÍÓÚ"
_STRIP: Final = str.maketrans(_ACCENTED, _PLAIN)
_ACCENT: Final = str.maketrans(_PLAIN, _ACCENTED)


def load(options: Accents, section: DataSection) -> DataSplits:
    """The verses of the training books and of the held-out books."""
    parts: dict[bool, list[TaggedWords]] = {False: [], True: []}
    for verse in verses():
        parts[verse.held_out].append(tagged(verse.spanish))
    return tagged_texts(parts[False], parts[True], TAGS, options.words, options.facts())


def tagged(text: str) -> TaggedWords:
    """The words of a text in small letters without accents, with their tags.

    >>> tagged("Y dijo: ¿Dónde está él?")
    [('y', 'O'), ('dijo', 'O'), ('donde', '1'), ('esta', '2'), ('el', '1')]
    """
    return list(map(_tagged, _WORD.findall(text)))


@lru_cache(100_000)
def _tagged(word: str) -> tuple[str, str]:
    """A word without its accents, with its tag; most words of a text are in it often."""
    vowels = [letter for letter in word if letter in _PLAIN + _ACCENTED]
    numbers = [i for i, letter in enumerate(vowels, 1) if letter in _ACCENTED]
    tag = str(numbers[0]) if numbers and numbers[0] <= VOWELS else OUTSIDE
    return word.lower().translate(_STRIP), tag


def restored(text: str, tags: Sequence[str]) -> str:
    """A text with the accents of its words' tags; accents that it has are dropped.

    >>> restored("¿Donde esta el?", ["1", "2", "O"])
    '¿Dónde está el?'
    """
    left = iter(tags)
    plain = text.translate(_STRIP)
    return _WORD.sub(lambda found: _accented(found[0], next(left, OUTSIDE)), plain)


def _accented(word: str, tag: str) -> str:
    places = [place for place, letter in enumerate(word) if letter in _PLAIN]
    if tag == OUTSIDE or int(tag) > len(places):
        return word
    place = places[int(tag) - 1]
    return word[:place] + word[place].translate(_ACCENT) + word[place + 1 :]
