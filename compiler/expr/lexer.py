"""The words of the expression language."""

import keyword
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from compiler.expr.syntax import STRENGTH, ExpressionError

KEYWORDS = frozenset(("and", "or", "not", "if", "else"))
BOOLEANS = {"true": True, "True": True, "false": False, "False": False}

_WORD = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |   (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |   (?P<name>[A-Za-z_][A-Za-z_0-9]*)
    |   (?P<mark>\*\*|//|==|!=|<=|>=|&&|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)
_MARKS = STRENGTH.keys() | set("()[],")
_NO_TEXT = "text has no place in an expression"
_NO_NONE = "there is no `None` in a spec"
_FOREIGN = {
    "**": "there are no powers in expressions; write a product",
    ".": "there are no attributes in expressions; a size has a name of its own",
    ":": "there are no slices in expressions",
    "=": "a comparison is written `==`",
    "!": "a negation is written `not`",
    "&&": "a conjunction is written `and`",
    "||": "a disjunction is written `or`",
    "$": "`$` belongs in text; an expression names a param without it",
    '"': _NO_TEXT,
    "'": _NO_TEXT,
}


@dataclass(frozen=True, slots=True)
class Token:
    """A word; `kind` is `number`, `name`, `mark`, `keyword` or `end`."""

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The words of a text and one token for its end; raises `ExpressionError`."""
    for match in _WORD.finditer(text):
        kind, word = match.lastgroup or "mark", match[0]
        if kind == "space":
            continue
        fault = _fault(kind, word)
        if fault is not None:
            raise ExpressionError(fault, *match.span())
        kind = "keyword" if word in KEYWORDS else kind
        yield Token(kind, word, *match.span())
    yield Token("end", "the end", len(text), len(text))


def _fault(kind: str, word: str) -> str | None:
    if kind == "mark" and word not in _MARKS:
        shown = f"`{word}`" if word.isprintable() else f"U+{ord(word[0]):04X}"
        return _FOREIGN.get(word, f"{shown} has no place in an expression")
    if kind != "name" or word in KEYWORDS or word in BOOLEANS:
        return None
    if word == "None":
        return f"{_NO_NONE}; nothing is `null`, a size that varies a symbol such as B"
    return f"there is no `{word}` in expressions" if keyword.iskeyword(word) else None


def number(token: Token) -> int | float:
    """The value of a number; raises `ExpressionError` beyond 63 bits or infinity."""
    if token.text.isdecimal():
        digits = token.text.lstrip("0") or "0"
        # Python refuses to read a very long integer, so its length is looked at first.
        if len(digits) > 19 or int(digits) >= 2**63:
            raise ExpressionError("an integer beyond 63 bits", token.start, token.end)
        return int(digits)
    value = float(token.text)
    if not math.isfinite(value):
        raise ExpressionError("a number too large", token.start, token.end)
    return value
