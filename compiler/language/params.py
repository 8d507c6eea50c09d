"""Params, dimensions and inputs: the values and sizes that a scope speaks of."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    model_validator,
)

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
from compiler.op.schema_forms import SCALARS, Schema

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
    """A compile-time value: its type, its default (None: required), and what it may be."""

    also_written: ClassVar[tuple[Schema, ...]] = ({"enum": list(TYPE_NAMES)}, SCALARS)

    type: (
        Literal[
            "int", "float", "bool", "str", "op", "int[]", "float[]", "bool[]", "str[]"
        ]
        | None
    ) = None
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
        """Its type: as declared, or that of a default that is written out; None where a formula decides."""
        if self.type is not None or self.default is None:
            return self.type
        if isinstance(self.default, list):
            kinds = {type(item).__name__ for item in self.default}
            known = len(kinds) == 1 and f"{min(kinds)}[]" in TYPE_NAMES
            return f"{kinds.pop()}[]" if known else None
        kind = type(self.default).__name__
        return kind if kind in TYPE_NAMES else None


def param_value(value: Any) -> Any:
    """A value that a param may have: no mapping, and nothing that is missing."""
    for item in value if isinstance(value, list) else [value]:
        if item is None or isinstance(item, dict | list):
            raise fault("bad-type", "a param is a value, or a list of values")
    return value


def _formulas(value: Any) -> Any:
    """The default of a param: texts are formulas, also inside a list."""
    return [*map(formula, value)] if isinstance(value, list) else formula(value)


class DimRange(Model):
    """What a symbolic dimension may be; each bound is a number or an expression over the params."""

    min: FormulaOr = 1
    max: FormulaOr = None
    multiple_of: FormulaOr = 1


Inputs = Annotated[
    dict[Annotated[str, named(identifiers.snake_case, "an input")], Pattern],
    mapping_of("inputs"),
]
Params = Annotated[
    dict[Annotated[str, named(identifiers.snake_case, "a param")], Param],
    mapping_of("params"),
]
