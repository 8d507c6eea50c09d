"""The language as JSON Schema (2020-12): from the models of the spec and the registry.

Editors complete and check with it. It knows the form of a spec, and of every op its
arguments; what names resolve to and which shapes fit is the compiler's to say.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from compiler.checkpoint.rules_schema import recipe_schema, rules_schema
from compiler.language.layers import WHAT
from compiler.language.schema_forms import (
    FORMULA,
    OP_NAME,
    PARAM_NAME,
    REF,
    TEXT,
    TYPE,
    Schema,
)
from compiler.language.schema_generator import Generator
from compiler.language.spec import Spec
from compiler.op.arg_docs import Alternative, alternatives
from compiler.op.op import Op, arguments, required_arguments
from compiler.op.registry import ops
from compiler.tasks.task_schema import changes_schema, task_schema

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
    """The schema of a spec."""
    made = Spec.model_json_schema(by_alias=True, schema_generator=Generator)
    definitions = made.pop("$defs")
    definitions |= _LEAVES | {"OpName": _op_name()}
    _adjust(definitions)
    recipe = definitions["Recipe"]
    definitions["Recipe"] = recipe_schema(recipe["description"])
    for section in ("Section", "Checkpoint"):
        properties = definitions[section]["properties"]
        properties["tensors"] |= rules_schema()
        properties["ignore"]["items"] = TEXT
    task, parts = task_schema()
    definitions |= parts | {"task": task, "task.changes": changes_schema(task, parts)}
    made["properties"]["task"] = {REF: "#/$defs/task"}
    variant = made["properties"]["variants"]["additionalProperties"]
    variant["properties"] = {"task": {REF: "#/$defs/task.changes"}}
    made = {"$schema": GenerateJsonSchema.schema_dialect, **made, "$defs": definitions}
    return dict(_referring(made))


def _referring(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            "$ref" if key == REF and isinstance(item, str) else key: _referring(item)
            for key, item in value.items()
        }
    return list(map(_referring, value)) if isinstance(value, list) else value


def _adjust(definitions: Schema) -> None:
    """What the models leave to validators: types in mappings, and the ops."""
    for definition in definitions.values():
        if "additionalProperties" in definition and "anyOf" in definition:
            more = definition.pop("additionalProperties")
            _long(definition)["additionalProperties"] = more
    for name in ("Block", "Network"):
        definitions[name]["properties"]["inputs"]["additionalProperties"] = TYPE
    expect = _long(definitions["Expect"])
    expect["additionalProperties"] = TYPE
    counts = {"type": "object", "additionalProperties": {"type": "integer"}}
    expect["properties"]["parameters"] = {"anyOf": [{"type": "integer"}, counts]}
    layer = _long(definitions["Layer"])
    layer["properties"]["op"] = OP_NAME
    keys = list(layer["properties"])
    layer["anyOf"] = [{"required": [key]} for key in WHAT]
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
    own = {key: _argument(*found) for key, found in arguments(op).items()}
    return {
        "description": " ".join((op.__doc__ or "").partition("\n\n")[0].split()),
        "properties": {**dict.fromkeys(keys, True), **own},
        "required": list(required_arguments(op)),
        "additionalProperties": False,
    }


def _argument(annotation: Any, default: Any) -> Schema:
    found = alternatives(annotation)
    forms = [_form(one) for one in found]
    texts = [one.base in ("text", "choice") for one in found]
    forms += [PARAM_NAME] * any(texts) + [FORMULA] * (not all(texts))
    return {"anyOf": forms}


def _form(one: Alternative) -> Schema:
    item = _item(one)
    items = {"anyOf": [item, FORMULA]}
    if one.named:
        return {"type": "object", "additionalProperties": items}
    if one.many:
        return {"anyOf": [item, {"type": "array", "items": items}]}
    return item


def _item(one: Alternative) -> Schema:
    if one.base == "choice":
        return {"enum": list(one.choices)}
    kind: Schema = {"type": "string" if one.base == "text" else one.base}
    bounds = {
        "minimum": one.least,
        "exclusiveMinimum": one.above,
        "maximum": one.most,
    }
    return kind | {key: bound for key, bound in bounds.items() if bound is not None}
