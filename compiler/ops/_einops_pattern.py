"""Patterns of rearrange in einops notation, such as `b t (h d) -> b h t d`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from compiler.dataclass import dataclass
from compiler.op.errors import OpError, constraint

ELLIPSIS = "..."
Group = tuple[str, ...]
"""The axes that form one dimension: none for a dimension of size 1; `...` for any number of dimensions."""

_TOKEN = re.compile(
    r"\s*(?P<token>[A-Za-z_]\w*|\.\.\.|[()]|1(?!\w)|$|(?P<wrong>\S))", re.ASCII
)


@dataclass(frozen=True, slots=True)
class EinopsPattern:
    """The dimensions on the left and on the right of the arrow."""

    left: tuple[Group, ...]
    right: tuple[Group, ...]

    @property
    def axes(self) -> frozenset[str]:
        """The names of all axes."""
        return frozenset(axis for group in self.left for axis in group) - {ELLIPSIS}


@cache
def parse_pattern(text: str) -> EinopsPattern:
    """Parse a pattern.

    Raises:
        OpError: if the text is not a valid pattern; the message gives the character's position.
    """
    before, arrow, after = text.partition("->")
    if not arrow or "->" in after:
        raise _invalid("expected one `->`", 0)
    left = _groups(before, 0)
    right = _groups(after, len(before) + len(arrow))
    for here, there in ((left, right), (right, left)):
        for axis in sorted({axis for group in here for axis in group}):
            if not any(axis in group for group in there):
                side = "right" if here is left else "left"
                raise _invalid(f"{axis} is missing on the {side}", text.index(axis))
    return EinopsPattern(left, right)


def _groups(text: str, offset: int) -> tuple[Group, ...]:
    groups: list[Group] = []
    open_: list[str] | None = None
    seen: Counter[str] = Counter()
    for token, position in _tokens(text, offset):
        seen[token] += 1
        if token in "()":
            if (token == "(") == (open_ is not None):
                raise _invalid(f"unmatched `{token}`", position)
            if open_ is not None:
                groups.append(tuple(open_))
            open_ = [] if token == "(" else None
        elif token == "1":
            if open_ is None:
                groups.append(())
        elif seen[token] > 1:
            raise _invalid(f"{token} appears twice on one side", position)
        elif open_ is None:
            groups.append((token,))
        elif token == ELLIPSIS:
            raise _invalid("`...` cannot be in parentheses", position)
        else:
            open_.append(token)
    if open_ is not None:
        raise _invalid("unmatched `(`", offset + text.rindex("("))
    return tuple(groups)


def _tokens(text: str, offset: int) -> Iterator[tuple[str, int]]:
    start = 0
    while (match := _TOKEN.match(text, start)) and match["token"]:
        position = offset + match.start("token")
        if match["wrong"]:
            raise _invalid(f"unexpected {match['wrong']!r}", position)
        yield match["token"], position
        start = match.end()


def _invalid(message: str, position: int) -> OpError:
    return constraint(
        f"invalid pattern at character {position + 1}: {message}",
        argument="pattern",
        help="a pattern looks like `b t (h d) -> b h t d`",
    )
