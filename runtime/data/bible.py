"""The verses that LayerGraph ships: English (King James) and Spanish (Reina-Valera 1909)."""

from __future__ import annotations

import gzip
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
"""The books that are held out: 3,204 verses, a tenth, of story, wisdom, prophecy, gospel and letter."""
_FIRST_OF_NEW: Final = "Matthew"


@dataclass(frozen=True, slots=True)
class Verse:
    """A verse: its book, its text in both languages, and whether it is of the New Testament."""

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
        """Whether one side is at most 2.5 times as long as the other; otherwise they hardly say the same."""
        sizes = sorted((len(self.english), len(self.spanish)))
        return sizes[1] <= 2.5 * sizes[0]


def verses() -> list[Verse]:
    """All verses in their order."""
    packed = files("runtime.data").joinpath("files", "kjv_rv1909.tsv.gz").read_bytes()
    found, new = [], False
    for line in gzip.decompress(packed).decode().splitlines():
        reference, english, spanish = line.split("\t")
        book = reference.rpartition(" ")[0]
        new = new or book == _FIRST_OF_NEW
        found.append(Verse(book, english, spanish, new))
    return found
