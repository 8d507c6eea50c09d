"""The language as JSON Schema (2020-12): from the models of specs and recipes, and the registry.

Editors complete and check with it. It knows the form of a spec, and of every op its
arguments; what names resolve to and which shapes fit is the compiler's to say.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from compiler.elaborate.extend import BY_NAME
from compiler.language.recipe import Recipe
from compiler.language.schema_generator import Generator
from compiler.language.spec import Spec
from compiler.op.arg_docs import argument_schema
from compiler.op.op import Op, arguments, required_arguments
from compiler.op.registry import ops
from compiler.op.schema_forms import (
    PARAM_NAME,
    REF,
    Schema,
)
from compiler.tasks.task_schema import changes_schema, task_schema

_NULL: Final[Schema] = {"type": "null"}
_LEAVES: Final[Schema] = {
    "Formula": {
        "type": "string",
        "description": "An expression over params and dimensions: 4 * width",
    },
    "Type": {
        "type": "string",
        "pattern": r"^\s*(float|int|bool)\s*\[.*\]\s*\??\s*$",
        "description": "A type: float[B, T, D]",
    },
    "OpName": {
        "anyOf": [
            {"enum": []},
            {"type": "string", "pattern": "^[A-Z][A-Za-z0-9]*$"},
            PARAM_NAME,
        ],
        "description": "An op, a block, or a param of type op",
    },
}


def schema() -> Schema:
    """The schema of a spec or a recipe."""
    spec = Spec.model_json_schema(by_alias=True, schema_generator=Generator)
    recipe = Recipe.model_json_schema(schema_generator=Generator)
    definitions = spec.pop("$defs") | recipe.pop("$defs", {})
    definitions |= _LEAVES | {"OpName": _op_name()}
    _adjust(definitions)
    task, parts = task_schema()
    definitions |= parts | {"task": task, "task.changes": changes_schema(task, parts)}
    for file in (spec, recipe):
        file["properties"]["task"] = {REF: "#/$defs/task"}
    variant = spec["properties"]["variants"]["additionalProperties"]
    variant["properties"] = {"task": {REF: "#/$defs/task.changes"}}
    made = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "if": {"required": ["network"]},
        "then": {REF: "#/$defs/recipe"},
        "else": {
            "if": {"required": ["extends"]},
            "then": {REF: "#/$defs/derived"},
            "else": {REF: "#/$defs/spec"},
        },
    }
    files = {"spec": spec, "derived": _derived(spec, definitions), "recipe": recipe}
    return dict(_referring({**made, "$defs": {**definitions, **files}}))


def _derived(spec: Schema, definitions: Schema) -> Schema:
    """The schema of a spec that extends another: entries of sections by name, any of them null, and no key required."""
    found: Schema = {}
    for key, form in spec["properties"].items():
        form = {REF: "#/$defs/task.changes"} if key == "task" else form
        form = _with_nulls(form, definitions) if key in BY_NAME else form
        found[key] = form if key == "extends" else {"anyOf": [form, _NULL]}
    kept = {key: form for key, form in spec.items() if key != "required"}
    return {**kept, "description": "A spec that extends another.", "properties": found}


def _with_nulls(form: Schema, definitions: Schema) -> Schema:
    """A mapping any of whose entries may be null."""
    if target := form.get(REF) or form.get("$ref"):
        form = definitions[target.removeprefix("#/$defs/")]
    if "anyOf" in form:
        return {"anyOf": [_with_nulls(one, definitions) for one in form["anyOf"]]}
    made = dict(form)
    if isinstance(made.get("additionalProperties"), dict):
        made["additionalProperties"] = {"anyOf": [made["additionalProperties"], _NULL]}
    entries = made.get("properties", {}).items()
    made["properties"] = {key: {"anyOf": [one, _NULL]} for key, one in entries}
    return made


def _referring(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            "$ref" if key == REF and isinstance(item, str) else key: _referring(item)
            for key, item in value.items()
        }
    return list(map(_referring, value)) if isinstance(value, list) else value


def _adjust(definitions: Schema) -> None:
    """The arguments of the ops."""
    layer = _long(definitions["Layer"])
    keys = list(layer["properties"])
    layer["allOf"] = [_when_op(name) for name in ops()]
    definitions |= {f"op.{name}": _op(op, keys) for name, op in ops().items()}


def _long(definition: Schema) -> Schema:
    """The mapping among the forms of a definition."""
    forms = definition.get("anyOf", [definition])
    found: Schema = next(form for form in forms if "properties" in form)
    return found


def _op_name() -> Schema:
    known, *others = _LEAVES["OpName"]["anyOf"]
    return {**_LEAVES["OpName"], "anyOf": [{**known, "enum": list(ops())}, *others]}


def _when_op(name: str) -> Schema:
    """Where a layer names the op, its arguments are those of the op."""
    named = {"properties": {"op": {"const": name}}, "required": ["op"]}
    return {"if": named, "then": {REF: f"#/$defs/op.{name}"}}


def _op(op: type[Op], keys: list[str]) -> Schema:
    own = {key: argument_schema(kind) for key, (kind, _) in arguments(op).items()}
    return {
        "description": " ".join((op.__doc__ or "").partition("\n\n")[0].split()),
        "properties": {**dict.fromkeys(keys, True), **own},
        "required": list(required_arguments(op)),
        "additionalProperties": False,
    }
