"""The verses that LayerGraph ships: English (King James) and Spanish (Reina-Valera 1909)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from runtime.data.word_coding import decode

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
_VERSES: Final = {
    "Genesis": 1533,
    "Exodus": 1213,
    "Leviticus": 859,
    "Numbers": 1286,
    "Deuteronomy": 959,
    "Joshua": 658,
    "Judges": 618,
    "Ruth": 85,
    "I Samuel": 809,
    "II Samuel": 694,
    "I Kings": 816,
    "II Kings": 719,
    "I Chronicles": 942,
    "II Chronicles": 821,
    "Ezra": 280,
    "Nehemiah": 406,
    "Esther": 167,
    "Job": 1061,
    "Psalms": 2461,
    "Proverbs": 915,
    "Ecclesiastes": 222,
    "Song of Solomon": 117,
    "Isaiah": 1292,
    "Jeremiah": 1364,
    "Lamentations": 154,
    "Ezekiel": 1273,
    "Daniel": 357,
    "Hosea": 196,
    "Joel": 73,
    "Amos": 146,
    "Obadiah": 21,
    "Jonah": 47,
    "Micah": 105,
    "Nahum": 47,
    "Habakkuk": 56,
    "Zephaniah": 53,
    "Haggai": 38,
    "Zechariah": 211,
    "Malachi": 55,
    "Matthew": 1071,
    "Mark": 678,
    "Luke": 1151,
    "John": 879,
    "Acts": 1006,
    "Romans": 433,
    "I Corinthians": 437,
    "II Corinthians": 256,
    "Galatians": 149,
    "Ephesians": 155,
    "Philippians": 104,
    "Colossians": 95,
    "I Thessalonians": 89,
    "II Thessalonians": 47,
    "I Timothy": 113,
    "II Timothy": 83,
    "Titus": 46,
    "Philemon": 25,
    "Hebrews": 303,
    "James": 108,
    "I Peter": 105,
    "II Peter": 61,
    "I John": 105,
    "II John": 13,
    "III John": 14,
    "Jude": 25,
    "Revelation of John": 404,
}
"""The number of verses of each book, in the order of the books."""
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


@cache
def verses() -> tuple[Verse, ...]:
    """All verses in the order of the books."""
    found, new = [], False
    columns = map(_lines, ("kjv", "rv1909"))
    books = (book for book, count in _VERSES.items() for _ in range(count))
    for book, english, spanish in zip(books, *columns, strict=True):
        new = new or book == _FIRST_NEW_BOOK
        found.append(Verse(book, english, spanish, new))
    return tuple(found)


def _lines(name: str) -> list[str]:
    file = files("runtime.data").joinpath("files", f"{name}.words.xz")
    return decode(file.read_bytes()).splitlines()
