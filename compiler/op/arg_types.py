"""The kinds of argument that an op can take, and how a YAML value is checked against them.

An op declares its arguments as annotations, under torch's own names:

    out_features: Size
    bias: bool = True
    padding_mode: Literal["zeros", "reflect"] = "zeros"

A rule of the op then sees sizes as `Dim`s in the names of the scope (`4 * width`), and everything else as plain
values. The same declaration makes a pydantic model, which checks the spec twice: as written, where a string that
stands for a number is a `Formula`, and with every formula replaced by its value.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias

import pydantic
from pydantic import ConfigDict, Field, WrapValidator
from pydantic_core import PydanticCustomError

from compiler.dataclass import dataclass
from compiler.expr.syntax import Expression, Variable
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import ExpressionError, parse_expression

_INT64 = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Formula:
    """An argument that is written as an expression: `3 * D`, or `$activation` where it stands for text.

    The offsets of the expression are those in the text, `$` included.
    """

    expr: Expression
    text: str


@dataclass(frozen=True, slots=True)
class Sized:
    """Marks an argument whose rule works on symbolic sizes. `many`: one for each dimension, or one for all."""

    least: int | None = None
    many: bool = False
    symbolic: bool = False
    named: bool = False
    alone: bool = False
    """Whether one alone means something else than a list of one."""


Range: TypeAlias = Literal["from 0", "above 0", "share"]
"""Which numbers a float may be: at least 0, above 0, or from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Ranged:
    """Marks a float that has bounds, for the constructors that refuse others; `Field` has the same for pydantic."""

    range: Range


Size: TypeAlias = Annotated[Dim, Sized(1)]
"""An integer of at least 1, such as a number of channels."""
Count: TypeAlias = Annotated[Dim, Sized(0)]
"""An integer of at least 0, such as a padding."""
Integer: TypeAlias = Annotated[Dim, Sized()]
"""Any integer."""
Sizes: TypeAlias = Annotated[tuple[Dim, ...], Sized(1, many=True)]
"""One size for all dimensions, or a list with one for each."""
Counts: TypeAlias = Annotated[tuple[Dim, ...], Sized(0, many=True)]
"""One count for all dimensions, or a list with one for each."""
Integers: TypeAlias = Annotated[tuple[Dim, ...], Sized(many=True)]
"""A list of integers."""
Shape: TypeAlias = Annotated[tuple[Dim, ...], Sized(many=True, symbolic=True)]
"""A shape, which may hold the symbols of the inputs: `[B, 1, width]`; -1 where the op works one out."""
SizeOrShape: TypeAlias = Annotated[
    tuple[Dim, ...], Sized(0, many=True, symbolic=True, alone=True)
]
"""A size, or a list of sizes, which means something else even with one item; see `Op.lists`."""
Extent: TypeAlias = Annotated[Dim, Sized(symbolic=True)]
"""An integer that may hold the symbols of the inputs: `T - 1`."""
NamedSizes: TypeAlias = Annotated[dict[str, Dim], Sized(symbolic=True, named=True)]
"""Sizes by name, which may hold the symbols of the inputs: `{h: heads}`."""
Axis: TypeAlias = int
"""The number of a dimension; negative ones count from the end."""
Axes: TypeAlias = tuple[int, ...]
"""One dimension or a list of them."""
Factors: TypeAlias = tuple[int | float, ...]
"""One number for all dimensions, or a list with one for each."""
Probability: TypeAlias = Annotated[float, Field(ge=0.0, le=1.0), Ranged("share")]
"""A float from 0 to 1."""
NonNegative: TypeAlias = Annotated[float, Field(ge=0.0), Ranged("from 0")]
"""A float of at least 0."""
Positive: TypeAlias = Annotated[float, Field(gt=0.0), Ranged("above 0")]
"""A float above 0."""


def sized(annotation: object) -> Sized | None:
    """The marker of an argument that is a symbolic size, if it is one (a union counts by its sized member)."""
    return next((one for one in _extras(annotation) if isinstance(one, Sized)), None)


def range_of(annotation: object) -> Range | None:
    """Which numbers an argument that is a float may be; None where it is none, or takes all."""
    found = (one.range for one in _extras(annotation) if isinstance(one, Ranged))
    return next(found, None)


def _extras(annotation: object) -> Iterator[object]:
    """What an annotation says beside its types."""
    for member in _members(annotation):
        yield from getattr(member, "__metadata__", ())


def build_model(
    name: str, fields: Mapping[str, tuple[Any, Any]]
) -> type[pydantic.BaseModel]:
    """A pydantic model of arguments: name -> (annotation, default or `...` where it is required)."""
    definitions: dict[str, Any] = {
        key: (_checked(kind), default) for key, (kind, default) in fields.items()
    }
    config = ConfigDict(
        extra="forbid",
        arbitrary_types_allowed=True,
        strict=True,
        protected_namespaces=(),
    )
    return pydantic.create_model(name, __config__=config, **definitions)


def _members(annotation: object) -> tuple[object, ...]:
    if typing.get_origin(annotation) in (UnionType, typing.Union):
        return tuple(typing.get_args(annotation))
    return (annotation,)


def _checked(annotation: object) -> Any:
    members = _members(annotation)
    choices = tuple(
        c
        for m in members
        if typing.get_origin(m) is Literal
        for c in typing.get_args(m)
    )
    numbers = any(not _is_text(m) for m in members)
    check = _formulas(choices, str in members, numbers)
    return Annotated[_plain(members), WrapValidator(check)]


def _is_text(member: object) -> bool:
    """Whether a member of a union takes text or null alone."""
    return member in (str, type(None)) or typing.get_origin(member) is Literal


def _plain(members: tuple[object, ...]) -> Any:
    """The type of the values themselves, without formulas; sizes are integers here."""
    marker = next((m for m in map(sized, members) if m), None)
    if marker is not None:
        return _integers(marker, members)
    for listed in (Axes, Factors):
        if listed in members:
            numbers = _listing(_formula_or(typing.get_args(listed)[0]))
            optional = _unless((), type(None) in members)
            return Annotated[numbers, WrapValidator(optional)]
    kind: Any = members[0]
    for member in members[1:]:
        kind = kind | member
    return kind


def _integers(marker: Sized, members: tuple[object, ...]) -> Any:
    least = -_INT64 if marker.least is None else marker.least
    item: Any = Annotated[int, Field(ge=least, le=_INT64)]
    if marker.symbolic:
        item = Annotated[int, WrapValidator(_or_symbolic)]
    kind: Any = _listing(_formula_or(item)) if marker.many else item
    if marker.named:
        formula: Any = _formula_or(item)
        kind = dict[str, formula]
    others = [m for m in members if sized(m) is None]
    if not others:
        return kind
    texts = tuple(
        c for m in others if typing.get_origin(m) is Literal for c in typing.get_args(m)
    )
    return Annotated[kind, WrapValidator(_unless(texts, type(None) in others))]


def _formula_or(item: Any) -> Any:
    """An item of a list, or a formula for it."""
    return Annotated[item, WrapValidator(_formulas((), False, True))]


def _listing(item: Any) -> Any:
    """A list of items, or one item that stands for a list of one."""
    as_list = Annotated[
        list[item],
        pydantic.BeforeValidator(lambda v: v if isinstance(v, list) else _one(v)),
    ]
    return Annotated[as_list, pydantic.AfterValidator(tuple)]


def _one(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple) else [value]


def _or_symbolic(value: Any, handler: Callable[[Any], Any]) -> Any:
    return value if isinstance(value, Dim) else handler(value)


def _unless(
    texts: tuple[object, ...], optional: bool
) -> Callable[[Any, Callable[[Any], Any]], Any]:
    """Let the words among `texts`, and null where `optional`, pass beside what the handler takes."""

    def check(value: Any, handler: Callable[[Any], Any]) -> Any:
        if (value is None and optional) or (isinstance(value, str) and value in texts):
            return value
        return handler(value)

    return check


def _formulas(
    choices: tuple[object, ...], text: bool, numbers: bool
) -> Callable[[Any, Callable[[Any], Any]], Any]:
    """Read a string as an expression, unless the argument takes text.

    Where it takes any text, or some words and no `numbers`, `$name` alone stands for a param.
    """

    def check(value: Any, handler: Callable[[Any], Any]) -> Any:
        if isinstance(value, Formula):
            return value
        if isinstance(value, str):
            if value.startswith("$"):
                return Formula(_expression(after_dollar(value), name=True), value)
            if value in choices or text:
                return value
            if choices and not numbers and value.isidentifier():
                return handler(value)
            return Formula(_expression(value), value)
        return handler(value)

    return check


def after_dollar(text: str) -> str:
    """What follows a `$`, at the same offsets."""
    return f" {text[1:]}" if text.startswith("$") else text


def _expression(text: str, *, name: bool = False) -> Expression:
    try:
        expr = parse_expression(text)
    except ExpressionError as error:
        raise PydanticCustomError(
            "bad_expression",
            "{reason}",
            {"reason": error.message, "start": error.start, "end": error.end},
        ) from None
    if name and not isinstance(expr, Variable):
        raise PydanticCustomError(
            "bad_expression", "after $ comes the name of a param", {}
        )
    return expr
