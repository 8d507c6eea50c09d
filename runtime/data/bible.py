"""The verses that LayerGraph ships: English (King James) and Spanish (Reina-Valera 1909)."""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

HELD_OUT: Final = frozenset(
    {
        "Judges",
        "Ruth",
        "Esther",
        "Ecclesiastes",
        "Hosea",
        "Amos",
        "Jonah",
        "John",
        "Romans",
        "Hebrews",
        "James",
    }
)
"""The held-out books: 3,204 verses, a tenth of all, of narrative, wisdom, prophecy, gospel and letters."""
_FIRST_NEW_BOOK: Final = "Matthew"
_MAX_LENGTH_RATIO: Final = 2.5


@dataclass(frozen=True, slots=True)
class Verse:
    """A verse in both languages.

    Attributes:
        book: name of its book.
        english, spanish: its text.
        new: whether it is in the New Testament.
    """

    book: str
    english: str
    spanish: str
    new: bool

    @property
    def held_out(self) -> bool:
        """Whether its book is held out."""
        return self.book in HELD_OUT

    @property
    def parallel(self) -> bool:
        """Whether neither text is over 2.5 times as long as the other; such pairs are rarely translations."""
        shorter, longer = sorted((len(self.english), len(self.spanish)))
        return longer <= _MAX_LENGTH_RATIO * shorter


def verses() -> list[Verse]:
    """All verses in the order of the books."""
    found, new = [], False
    columns = map(_lines, ("references", "kjv", "rv1909"))
    for reference, english, spanish in zip(*columns, strict=True):
        book = reference.rpartition(" ")[0]
        new = new or book == _FIRST_NEW_BOOK
        found.append(Verse(book, english, spanish, new))
    return found


def _lines(name: str) -> list[str]:
    packed = files("runtime.data").joinpath("files", f"{name}.txt.xz").read_bytes()
    return lzma.decompress(packed).decode().splitlines()
