"""Plain scalars of YAML 1.2, by its core schema alone, without the additions of YAML 1.1.

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
_MAX_DIGITS = 1_000  # int() takes quadratic time, and refuses thousands of digits


class NumberTooLarge(ValueError):
    """A valid YAML number that exceeds the limit for integers or the range of floats."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def resolve(text: str, integer_bits: int = 63) -> None | bool | int | float | str:
    """The value of a plain scalar, by YAML 1.2's core schema.

    Args:
        integer_bits: bits of an integer's magnitude; 63 for signed 64-bit integers.

    Raises:
        NumberTooLarge: if an integer exceeds `integer_bits`, or a decimal number the
            range of float64.

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
    if len(text) <= _MAX_DIGITS:
        value = int(text, _BASES.get(text[:2], 10))
        if -(2**bits) <= value < 2**bits:
            return value
    message = f"this integer does not fit into {bits + 1} bits"
    raise NumberTooLarge("integer-too-large", message)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        message = "this number exceeds the range of a 64-bit float"
        raise NumberTooLarge("float-too-large", message)
    return value
