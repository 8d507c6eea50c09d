"""Params, dimensions and inputs: the declarations of a scope."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    model_validator,
)

from compiler.dataclass import dataclass
from compiler.diagnostics import suggestions
from compiler.diagnostics.text import shorten
from compiler.language import identifiers
from compiler.language.model import (
    FormulaOr,
    Model,
    Pattern,
    fault,
    formula,
    mapping_of,
    named,
)
from compiler.op.schema_forms import SCALARS, Schema, written_as

TYPE_NAMES = (
    "int",
    "float",
    "bool",
    "str",
    "op",
    "int[]",
    "float[]",
    "bool[]",
    "str[]",
)


class Param(Model):
    """A compile-time value: its type, its default (None: required), and its allowed values.

    Attributes:
        type: the type: int, float, bool, str, op, or a list of one of the first four.
        default: the value where none is given; a text is a formula over other params.
        min: the least value allowed.
        max: the greatest value allowed.
        choices: the values allowed.
        description: what it is, for readers.
    """

    also_written: ClassVar[tuple[Schema, ...]] = ({"enum": list(TYPE_NAMES)}, SCALARS)

    type: Annotated[
        Literal[
            "int", "float", "bool", "str", "op", "int[]", "float[]", "bool[]", "str[]"
        ]
        | None,
        BeforeValidator(lambda value: _known_type(value)),
    ] = None
    default: Annotated[Any, AfterValidator(lambda v: param_value(v))] = None
    min: int | float | None = None
    max: int | float | None = None
    choices: list[Any] | None = None
    description: str = ""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        """The short forms are a type's name, or a default; a default that is text is a formula, unless it is text."""
        if isinstance(value, str) and value in TYPE_NAMES:
            return {"type": value}
        if isinstance(value, str) and not value.isidentifier():
            _known_type(value)
        if not isinstance(value, dict):
            value = {"default": value}
        if "default" not in value and "type" not in value:
            raise fault("missing-key", "a param needs a type or a default")
        if value.get("type") in ("str", "op", "str[]") or "default" not in value:
            return value
        return value | {"default": _formulas(value["default"])}

    @property
    def required(self) -> bool:
        return self.default is None

    @property
    def kind(self) -> str | None:
        """Its type: as declared, or that of a literal default; None if the default is a formula."""
        if self.type is not None or self.default is None:
            return self.type
        if isinstance(self.default, list):
            kinds = {type(item).__name__ for item in self.default}
            known = len(kinds) == 1 and f"{min(kinds)}[]" in TYPE_NAMES
            return f"{kinds.pop()}[]" if known else None
        kind = type(self.default).__name__
        return kind if kind in TYPE_NAMES else None


def _known_type(value: Any) -> Any:
    """What a type is written as; refuse those of other tools.

    In the short form a name alone may be that of another param, and is looked at with the names.
    """
    if (
        isinstance(value, str)
        and value not in TYPE_NAMES
        and (help := suggestions.param_type(value))
    ):
        message = f"there is no type {shorten(value)}"
        raise fault("bad-value", message, help=help)
    return value


def param_value(value: Any) -> Any:
    """Check that a value can be that of a param: neither a mapping nor null."""
    for item in value if isinstance(value, list) else [value]:
        if item is None or isinstance(item, dict | list):
            raise fault("bad-type", "a param is a value, or a list of values")
    return value


def _formulas(value: Any) -> Any:
    """The default of a param: texts are formulas, also inside a list."""
    return [*map(formula, value)] if isinstance(value, list) else formula(value)


class DimRange(Model):
    """The allowed sizes of a symbolic dimension; each bound is a number or an expression over the params.

    Attributes:
        min: the least size; default: 1.
        max: the greatest size; default: none.
        multiple_of: a number that divides every size.
    """

    min: FormulaOr = 1
    max: FormulaOr = None
    multiple_of: FormulaOr = 1


Inputs = Annotated[
    dict[Annotated[str, named(identifiers.snake_case, "an input")], Pattern],
    mapping_of("inputs"),
]
Params = Annotated[
    dict[Annotated[str, named(identifiers.param_name, "a param")], Param],
    mapping_of("params"),
]


@dataclass(frozen=True, slots=True)
class Stepping:
    """`step: T`, `step: {T: [target]}`: the dimension along which a network is given its inputs one position at a time.

    `inputs` are those that come in steps; None for all that have the dimension.
    """

    dimension: str
    inputs: tuple[str, ...] | None = None


def _stepping(value: Any) -> Stepping:
    if isinstance(value, str):
        return Stepping(_dimension(value))
    if not isinstance(value, dict) or len(value) != 1:
        help = "write step: T, or step: {T: [target]} for some of the inputs"
        raise fault("bad-type", "step names one dimension of the inputs", help=help)
    ((name, inputs),) = value.items()
    texts = isinstance(inputs, list) and all(isinstance(one, str) for one in inputs)
    if not texts or not inputs:
        message = "the inputs that come in steps are a list of names"
        raise fault("bad-type", message, at=(name,))
    return Stepping(_dimension(name), tuple(inputs))


def _dimension(name: str) -> str:
    if wrong := identifiers.symbol_name(name):
        raise fault("bad-name", f"{shorten(name)} is no dimension: {wrong}")
    return name


Step = Annotated[
    Any,
    BeforeValidator(_stepping),
    written_as(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": {
                        "type": "array",
                        "items": {"type": "string"},
                        "minItems": 1,
                    },
                },
            ]
        }
    ),
]
"""The dimension that a spec is stepped along."""
