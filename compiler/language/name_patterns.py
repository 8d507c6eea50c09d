"""Names of tensors: patterns that match names, and templates that make them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from compiler.dataclass import dataclass
from compiler.expr.syntax import Expression
from compiler.symbolic.evaluate import (
    ExpressionError,
    Value,
    evaluate,
    parse_expression,
)

Captures = Mapping[str, int | str]
"""What the names in braces stand for: a number where there are only digits."""

_HOLE = re.compile(r"\{([^{}]*)\}")
_CAPTURE = re.compile(r"(\*?)([A-Za-z][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class NamePattern:
    """`encoder.{i}.{*rest}`: literals and captures, `before` and `behind` the one that takes several parts."""

    text: str
    before: tuple[tuple[str, ...], ...]
    rest: str = ""
    """The capture that takes one part or more; "" where there is none."""
    after: tuple[tuple[str, ...], ...] = ()

    @property
    def captures(self) -> tuple[str, ...]:
        """The names that a match gives values."""
        parts = (*self.before, *self.after)
        named = tuple(name for part in parts for name in part[1::2])
        return (*named, self.rest) if self.rest else named

    def match(self, name: str) -> Captures | None:
        """The values of the captures; None if the pattern does not match.

        >>> parse_pattern("h.{i}.{*rest}").match("h.3.attn.bias")
        {'i': 3, 'rest': 'attn.bias'}
        """
        parts = name.split(".")
        middle = len(parts) - len(self.before) - len(self.after)
        if middle < 1 if self.rest else middle != 0:
            return None
        found: dict[str, int | str] = {}
        end = len(parts) - len(self.after)
        patterns = (*self.before, *self.after)
        sides = (*parts[: len(self.before)], *parts[end:])
        for pattern, part in zip(patterns, sides, strict=True):
            if not _match_part(pattern, part, found):
                return None
        if self.rest:
            found[self.rest] = ".".join(parts[len(self.before) : end])
        return found


def parse_pattern(text: str) -> NamePattern:
    """Read a pattern.

    Raises:
        ExpressionError: where it is none, with the place in the text.
    """
    _check_braces(text)
    rest, sides = "", ([], [])  # type: tuple[str, tuple[list[tuple[str, ...]], ...]]
    start = 0
    for part in text.split("."):
        if part.startswith("{*") and part.endswith("}"):
            if rest:
                raise _fault("only one capture takes several parts", text, start, part)
            rest = _capture(part[1:-1], start + 1)[1]
        else:
            sides[bool(rest)].append(_pieces(part, start))
        start += len(part) + 1
    pattern = NamePattern(text, tuple(sides[0]), rest, tuple(sides[1]))
    _check_once(pattern)
    return pattern


def _pieces(part: str, start: int) -> tuple[str, ...]:
    """Literals and captures in turn; the literals between two captures are not empty."""
    pieces = _HOLE.split(part)
    for match in _HOLE.finditer(part):
        star, _ = _capture(match[1], start + match.start(1))
        if star:
            message = "a capture that takes several parts stands between two dots"
            raise _fault(message, part, start, part)
    if not all(pieces[2:-1:2]):
        raise _fault("there must be text between two captures", part, start, part)
    if pieces == [""]:
        raise _fault("a name has no empty part", part, start, part)
    return tuple(pieces)


def _capture(text: str, start: int) -> tuple[str, str]:
    match = _CAPTURE.fullmatch(text)
    if match is None:
        message = f"a capture is a name, or * and a name: {{{text}}}"
        raise ExpressionError(message, start, start + len(text))
    return match[1], match[2]


def _check_braces(text: str) -> None:
    left = _HOLE.sub(lambda hole: " " * len(hole[0]), text)
    at = next((n for n, char in enumerate(left) if char in "{}"), None)
    if at is not None:
        raise ExpressionError(f"this {left[at]} stands alone", at, at + 1)


def _check_once(pattern: NamePattern) -> None:
    names = pattern.captures
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        message = f"{twice} is captured twice"
        raise ExpressionError(message, 0, len(pattern.text))


def _fault(message: str, text: str, start: int, part: str) -> ExpressionError:
    return ExpressionError(message, start, start + max(len(part), 1))


def _match_part(
    pattern: tuple[str, ...], part: str, found: dict[str, int | str]
) -> bool:
    """Match one part, each capture as short as may be, and add what they take."""
    first, last = pattern[0], pattern[-1]
    if len(pattern) == 1:
        return part == first
    at, stop = len(first), len(part) - len(last)
    if not part.startswith(first) or not part.endswith(last):
        return False
    for name, literal in zip(pattern[1::2], (*pattern[2:-1:2], None), strict=True):
        end = stop if literal is None else part.find(literal, at + 1, stop)
        if end <= at:
            return False
        found[name] = _value(part[at:end])
        at = end + len(literal or "")
    return True


def _value(text: str) -> int | str:
    """A number, if it is written as numbers are: with a zero before it, it is text."""
    digits = text.isascii() and text.isdecimal() and len(text) < 19
    return int(text) if digits and str(int(text)) == text else text


@dataclass(frozen=True, slots=True)
class Hole:
    """An expression in a template, its offset, and whether it is several parts."""

    expr: Expression
    start: int
    star: bool


@dataclass(frozen=True, slots=True)
class NameTemplate:
    """`layer.{i - 1}.{leaf}`: text, and expressions over the captures of a pattern."""

    text: str
    pieces: tuple[str | Hole, ...]

    def holes(self) -> Iterator[Hole]:
        """The expressions of the template."""
        return (piece for piece in self.pieces if isinstance(piece, Hole))

    def fill(self, values: Mapping[str, Value]) -> str:
        """The name.

        Raises:
            ExpressionError: where an expression has no value, or one that no name holds.

        >>> parse_template("stages.{s - 1}.{leaf}").fill({"s": 3, "leaf": "bias"})
        'stages.2.bias'
        """
        return "".join(
            piece if isinstance(piece, str) else _filled(piece, values)
            for piece in self.pieces
        )


def parse_template(text: str) -> NameTemplate:
    """Read a template.

    Raises:
        ExpressionError: where it is none, with the place in the text.
    """
    _check_braces(text)
    pieces: list[str | Hole] = []
    end = 0
    for match in _HOLE.finditer(text):
        pieces.append(text[end : match.start()])
        pieces.append(_hole(match[1], match.start(1)))
        end = match.end()
    pieces.append(text[end:])
    if not text:
        raise ExpressionError("the name of a tensor is empty", 0, 0)
    return NameTemplate(text, tuple(piece for piece in pieces if piece))


def _hole(text: str, start: int) -> Hole:
    star = text.startswith("*")
    start += star
    try:
        return Hole(parse_expression(text[star:]), start, star)
    except ExpressionError as error:
        raise shifted(error, start) from None


def _filled(hole: Hole, values: Mapping[str, Value]) -> str:
    try:
        value = evaluate(hole.expr, values)
    except ExpressionError as error:
        raise shifted(error, hole.start) from None
    if isinstance(value, bool) or not isinstance(value, int | str):
        start, end = hole.expr.start, hole.expr.end
        message = "a name holds integers and what was captured"
        raise shifted(ExpressionError(message, start, end), hole.start)
    return str(value)


def shifted(error: ExpressionError, by: int) -> ExpressionError:
    """The same error in a longer text."""
    return ExpressionError(error.message, error.start + by, error.end + by)
