"""Plain scalars of YAML 1.2: the core schema, and nothing that YAML 1.1 adds to it.

Source: YAML 1.2.2, section 10.3.2, https://yaml.org/spec/1.2.2/#1032-tag-resolution
"""

from __future__ import annotations

import re

_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], float("nan")),
    **{
        sign + word: float(f"{sign}inf")
        for sign in ("", "+", "-")
        for word in (".inf", ".Inf", ".INF")
    },
}
_STARTS_NUMBER = frozenset("+-.0123456789")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BASES = {"0o": 8, "0x": 16}
_MOST_DIGITS = 1_000  # int() takes quadratic time, and refuses thousands of digits


class NumberTooLarge(ValueError):
    """A number that is valid YAML, but fits neither the limit nor a float."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def resolve(text: str, integer_bits: int = 63) -> None | bool | int | float | str:
    """The value of a plain scalar, by YAML 1.2's core schema.

    Raises NumberTooLarge: an integer beyond a two's complement word with `integer_bits`
    for the magnitude, or a decimal number beyond the range of float64.

    >>> [resolve(text) for text in ("no", "1:30", "3e-4", "0o17", "0777", "~")]
    ['no', '1:30', 0.0003, 15, 777, None]
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _STARTS_NUMBER:
        return text
    if _DECIMAL.fullmatch(text) or _BASED.fullmatch(text):
        return _integer(text, integer_bits)
    return _float(text) if _FLOAT.fullmatch(text) else text


def _integer(text: str, bits: int) -> int:
    if len(text) <= _MOST_DIGITS:
        value = int(text, _BASES.get(text[:2], 10))
        if -(2**bits) <= value < 2**bits:
            return value
    message = f"this integer does not fit {bits + 1} bits"
    raise NumberTooLarge("integer-too-large", message)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        message = "this number is beyond the range of a 64-bit float"
        raise NumberTooLarge("float-too-large", message)
    return value
