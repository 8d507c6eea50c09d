"""The rules of a checkpoint as JSON Schema: what the models leave to validators."""

from __future__ import annotations

from typing import Final

from compiler.language.checkpoint import SOURCES
from compiler.language.schema_forms import FORMULA, REF, TEXT, Schema

_INTEGER: Final[Schema] = {"anyOf": [{"type": "integer"}, FORMULA]}
_RECIPE: Final[Schema] = {REF: "#/$defs/Recipe"}
_RECIPES: Final[Schema] = {
    "anyOf": [_RECIPE, {"type": "array", "items": _RECIPE, "minItems": 1}]
}
_INTEGERS: Final[Schema] = {"type": "array", "items": _INTEGER}
_PAIR: Final[Schema] = {**_INTEGERS, "minItems": 2, "maxItems": 2}


def rules_schema() -> Schema:
    """Rules by patterns: a recipe, null, or a list of them as alternatives."""
    one = [_RECIPE, {"type": "null"}]
    several = {"type": "array", "items": {"anyOf": one}, "minItems": 1}
    return {"type": "object", "additionalProperties": {"anyOf": [*one, several]}}


def recipe_schema(description: str) -> Schema:
    """The name of a published tensor, or a mapping that says what one is made of."""
    properties = {
        "from": _RECIPE,
        "concat": _RECIPES,
        "stack": _RECIPES,
        "over": {"type": "object", "additionalProperties": _INTEGER},
        "chunk": _PAIR,
        "slice": _PAIR,
        "transpose": _PAIR,
        "reshape": _INTEGERS,
        "dim": {"type": "integer"},
    }
    mapping = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "oneOf": [{"required": [key]} for key in SOURCES],
    }
    return {"description": description, "anyOf": [TEXT, mapping]}
