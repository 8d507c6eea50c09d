"""Tensor types: a dtype kind and a symbolic shape, and the patterns for them in a spec."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal

from compiler.dataclass import dataclass
from compiler.expr.syntax import Expression, unparse
from compiler.symbolic.dims import Dim, alike, qualified_text
from compiler.symbolic.evaluate import ExpressionError, parse_expression
from compiler.symbolic.symbols import EllipsisDim, Symbol

Kind = Literal["float", "int", "bool"]
KINDS: Final[tuple[Kind, ...]] = ("float", "int", "bool")

MAX_RANK: Final = 64
"""The maximum number of dimensions of a tensor, which is torch's limit."""

_ELLIPSIS = "..."
_PATTERN = re.compile(
    r"\s*(?P<kind>\w+)\s*\[(?P<dims>.*)\]\s*(?P<optional>\?)?\s*",
    re.DOTALL | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class TensorType:
    """The type of a tensor: `float[B, T, 3 * D]`."""

    kind: Kind
    shape: tuple[Dim, ...]

    @property
    def rank(self) -> int:
        return len(self.shape)

    def with_shape(self, *shape: Dim | int) -> TensorType:
        """The type with another shape."""
        return TensorType(self.kind, tuple(Dim.of(size) for size in shape))

    def with_kind(self, kind: Kind) -> TensorType:
        """The type with another kind."""
        return TensorType(kind, self.shape)

    def with_size(self, axis: int, size: Dim | int) -> TensorType:
        """The type with one size replaced; `axis` may be negative."""
        shape = list(self.shape)
        shape[axis] = Dim.of(size)
        return TensorType(self.kind, tuple(shape))

    @property
    def numel(self) -> Dim:
        """The number of elements."""
        total = Dim.of(1)
        for size in self.shape:
            total = total * size
        return total

    def __str__(self) -> str:
        return f"{self.kind}{shape_text(self.shape)}"


def is_ellipsis(size: Dim) -> bool:
    """Whether a size is one of the dimensions that `...` matched."""
    return isinstance(size.alone, EllipsisDim)


def shape_text(
    shape: tuple[Dim, ...], name: Callable[[Dim], str | None] = lambda _: None
) -> str:
    """A shape as text, `[B, T, D]`, with the dimensions that `...` matched as `...`.

    `name` returns a name for a size to be printed by name, or None.
    """
    parts: list[str] = []
    same = alike(frozenset[Symbol]().union(*(size.symbols for size in shape)))
    for size in shape:
        symbol = size.alone
        if isinstance(symbol, EllipsisDim):
            text = f"{_ELLIPSIS}{symbol.port}"
            if parts[-1:] == [text]:
                continue
        else:
            text = name(size) or (qualified_text(size, same) if same else str(size))
        parts.append(text)
    return f"[{', '.join(parts)}]"


@dataclass(frozen=True, slots=True)
class TypePattern:
    """A type in a spec: `float[B, Cin, H, W]`, `float[..., D]`, `bool[B, T]?`.

    `dims` are expressions; `ellipsis` is the position of `...` among them, if there is one.
    """

    kind: Kind
    dims: tuple[Expression, ...]
    ellipsis: int | None
    optional: bool
    text: str

    def __str__(self) -> str:
        parts = [unparse(dim) for dim in self.dims]
        if self.ellipsis is not None:
            parts.insert(self.ellipsis, _ELLIPSIS)
        return f"{self.kind}[{', '.join(parts)}]{'?' if self.optional else ''}"


def parse_pattern(text: str) -> TypePattern:
    """Read `float[B, T, D]`.

    Raises:
        ExpressionError: if the text is not a type, with the offsets of the faulty part.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ExpressionError("a type reads like float[B, T, D]", 0, len(text))
    kind = match["kind"]
    if kind not in KINDS:
        raise ExpressionError(
            f"{kind} is not a kind of tensor: float, int or bool", *match.span("kind")
        )
    dims, ellipsis = _pattern_dims(match["dims"], match.start("dims"))
    return TypePattern(kind, dims, ellipsis, match["optional"] is not None, text)


def parse_sizes(text: str, offset: int = 0) -> tuple[Expression, ...]:
    """Read `B, 3 * D`, which starts at `offset` in a longer text.

    Raises:
        ExpressionError: if one of them is not a size, with offsets in the longer text.
    """
    dims, ellipsis = _pattern_dims(text, offset)
    if ellipsis is not None:
        message = "a shape has no `...`"
        raise ExpressionError(message, offset, offset + len(text))
    return dims


def _pattern_dims(text: str, offset: int) -> tuple[tuple[Expression, ...], int | None]:
    dims: list[Expression] = []
    ellipsis: int | None = None
    start = 0
    parts = _split(text) if text.strip() else []
    if len(parts) > MAX_RANK:
        message = f"a tensor has {MAX_RANK} dimensions at most"
        raise ExpressionError(message, offset, offset + len(text))
    for part in parts:
        if part.strip() == _ELLIPSIS:
            if ellipsis is not None:
                raise ExpressionError(
                    "a type has one `...` at most",
                    offset + start,
                    offset + start + len(part),
                )
            ellipsis = len(dims)
        else:
            dims.append(_pattern_dim(part, offset + start))
        start += len(part) + 1
    return tuple(dims), ellipsis


def _pattern_dim(part: str, offset: int) -> Expression:
    """Parse a size; leading blanks give its parts their offsets in the whole text."""
    return parse_expression(" " * offset + part)


def _split(text: str) -> list[str]:
    """Split at the commas outside brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]
