"""Make any text safe to print."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters, the next-line too
    r"\u200b\u2060\u00ad"  # what a web page breaks lines with
    r"\u2028-\u202e\u2066-\u2069"  # line separators, bidirectional overrides
    r"\ud800-\udfff\ufeff\ufffe\uffff]"  # surrogates, byte order marks
)
"""A character that a spec must not hold, because its reader would not see it."""


def printable(text: str) -> str:
    r"""`text` on one line, its invisible characters written as escapes.

    Control, bidirectional and other format characters, lone surrogates and every space
    but the plain one are escaped, so that the text moves no cursor and hides nothing.

    >>> printable("a\x1b[2J\u202eb")
    'a\\x1b[2J\\u202eb'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else escaped(char) for char in text)


def escaped(char: str) -> str:
    r"""One character as a Python escape: `\n`, `\x1b`, `\u202e`."""
    return char.encode("unicode_escape").decode("ascii")


def shorten(text: str, most: int = 60) -> str:
    """`text` for a message: at most `most` characters, then an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def listed(names: Iterable[str], none: str = "none", most: int = 16) -> str:
    """Names for a message, `most` at most.

    >>> listed(["x", "y"]), listed([]), listed("abcd", most=2)
    ('x, y', 'none', 'a, b and 2 more')
    """
    known = list(names)
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + more if known else none


def either(names: Sequence[str]) -> str:
    """Names as alternatives, for a message.

    >>> either(["images", "text", "series"])
    'images, text or series'
    """
    return " or ".join((*[", ".join(names[:-1])][: len(names) - 1], *names[-1:]))


def cells(text: str) -> int:
    """Columns that printable `text` takes on a terminal.

    >>> cells("日本"), cells("e\u0301")
    (4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(_width(char) for char in text)


def _width(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
