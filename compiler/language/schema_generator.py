"""JSON Schema of pydantic's models, with the short forms that validators read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from compiler.language.params import TYPE_NAMES

Schema = dict[str, Any]

REF: Final = "reference"
"""Stands for `$ref` while pydantic is at work, which knows its own references alone."""
FORMULA: Final[Schema] = {REF: "#/$defs/Formula"}
TYPE: Final[Schema] = {REF: "#/$defs/Type"}
TEXT: Final[Schema] = {"type": "string"}
PARAM_NAME: Final[Schema] = {"type": "string", "pattern": r"^\$[a-z][a-z0-9_]*$"}
SCALARS: Final[Schema] = {"type": ["integer", "number", "boolean", "string", "array"]}


class Generator(GenerateJsonSchema):
    """Adds the short forms, which the models read before they validate."""

    def function_before_schema(self, schema: Any) -> Schema:
        """What a `before` validator takes, besides what stands behind it."""
        inner: Schema = super().function_before_schema(schema)
        short = _SHORT.get(schema["function"]["function"].__qualname__)
        return inner if short is None else short(inner)

    def get_title_from_name(self, name: str) -> str:
        """No titles: a key is its own."""
        return ""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """No titles: a key is its own."""
        return False


def _or(*short: Schema) -> Callable[[Schema], Schema]:
    return lambda long: {"anyOf": [*short, long]}


def _instead(value: Schema) -> Callable[[Schema], Schema]:
    return lambda long: value


_REFERENCES: Final[Schema] = {
    "anyOf": [
        TEXT,
        {"type": "array", "items": TEXT, "minItems": 1},
        {
            "type": "object",
            "additionalProperties": {"anyOf": [TEXT, {"type": "array", "items": TEXT}]},
            "minProperties": 1,
        },
    ]
}

_SHORT: Final[dict[str, Callable[[Schema], Schema]]] = {
    "formula": _instead({"anyOf": [{"type": ["number", "boolean"]}, FORMULA]}),
    "pattern": _instead(TYPE),
    "Param._read": _or({"enum": list(TYPE_NAMES)}, SCALARS),
    "Repeat._short": _or({"type": "integer", "minimum": 0}, FORMULA),
    "Layer._short": _or({REF: "#/$defs/OpName"}),
    "_references": _instead(_REFERENCES),
    "_outputs": _or({"type": "array", "items": TEXT, "minItems": 1}),
    "_layers": lambda long: {
        "anyOf": [
            long,
            {"type": "array", "items": long["additionalProperties"], "minItems": 1},
        ]
    },
}
