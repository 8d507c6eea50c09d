"""The tokens of the expression language."""

import keyword
import math
import re
from collections.abc import Iterator

from compiler.dataclass import dataclass
from compiler.diagnostics.other_names import template
from compiler.expr.syntax import PRECEDENCE, ExpressionError

OF_LISTS = frozenset(("for", "in"))
KEYWORDS = frozenset(("and", "or", "not", "if", "else")) | OF_LISTS
BOOLEANS = {"true": True, "True": True, "false": False, "False": False}

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |   (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |   (?P<name>[A-Za-z_][A-Za-z_0-9]*)
    |   (?P<symbol>\*\*|//|==|!=|<=|>=|&&|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)
_SYMBOLS = PRECEDENCE.keys() | set("()[],:")
_NO_TEXT = "expressions cannot contain text"
_NO_NONE = "specs have no `None`"
_NOT_SUPPORTED = {
    ".": "expressions have no attributes; a size has its name in the type of the input, such as T in float[B, T, 16]",
    "^": "a power is written `**`",
    "?": "a choice is written `a if c else b`",
    "=": "equality is written `==`",
    "!": "negation is written `not`",
    "&&": "conjunction is written `and`",
    "||": "disjunction is written `or`",
    "$": "`$` is for text; in an expression, write the name of the param alone",
    '"': _NO_TEXT,
    "'": _NO_TEXT,
}


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the text at `start:end`; `kind` is `number`, `name`, `symbol`, `keyword` or `end`."""

    kind: str
    text: str
    start: int
    end: int


def tokenize(text: str) -> Iterator[Token]:
    """The tokens of a text, and one for its end.

    Raises:
        ExpressionError: at the first character or word that expressions do not have.
    """
    for match in _TOKEN.finditer(text):
        kind, word = match.lastgroup or "symbol", match[0]
        if kind == "space":
            continue
        error = _error(kind, word)
        if error is not None:
            foreign = template(text) if word in "${" else None
            start, end, error = foreign or (*match.span(), error)
            raise ExpressionError(error, start, end)
        kind = "keyword" if word in KEYWORDS else kind
        yield Token(kind, word, *match.span())
    yield Token("end", "the end", len(text), len(text))


def _error(kind: str, word: str) -> str | None:
    if kind == "symbol" and word not in _SYMBOLS:
        shown = f"`{word}`" if word.isprintable() else f"U+{ord(word[0]):04X}"
        return _NOT_SUPPORTED.get(word, f"expressions cannot contain {shown}")
    if kind != "name" or word in KEYWORDS or word in BOOLEANS:
        return None
    if word == "None":
        return f"{_NO_NONE}; an absent value is `null`, a size that varies is a symbol such as B"
    return f"expressions have no `{word}`" if keyword.iskeyword(word) else None


def number_value(token: Token) -> int | float:
    """The value of a number.

    Raises:
        ExpressionError: if an integer exceeds 63 bits, or a float is infinite.
    """
    if token.text.isdecimal():
        digits = token.text.lstrip("0") or "0"
        # Python refuses to parse very long integers, so the length is checked first.
        if len(digits) > 19 or int(digits) >= 2**63:
            raise ExpressionError("the integer exceeds 63 bits", token.start, token.end)
        return int(digits)
    value = float(token.text)
    if not math.isfinite(value):
        raise ExpressionError(
            "the number is too large for a float", token.start, token.end
        )
    return value
