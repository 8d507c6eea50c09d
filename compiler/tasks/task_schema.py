"""`task:` as JSON Schema: a definition for each kind of task, data set, optimizer and schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compiler.language.schema_generator import Generator
from compiler.op.schema_forms import PARAM_NAME, REF, Schema
from compiler.tasks.task_kinds import task_kinds

_BOUNDS: Final = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
}


def task_schema() -> tuple[Schema, Schema]:
    """The schema of a whole task, and the definitions that it refers to."""
    definitions: Schema = {}
    for kind, model in task_kinds().items():
        made = model.model_json_schema(
            schema_generator=_TaskGenerator, ref_template="#/$defs/task.{model}"
        )
        parts = made.pop("$defs", {})
        definitions |= {f"task.{name}": part for name, part in parts.items()}
        definitions[f"task.{kind}"] = made
    task = {
        "type": "object",
        "description": "What the network is for, and how it is trained.",
        "properties": {"kind": {"enum": list(task_kinds())}},
        "required": ["kind"],
        "allOf": [_when_kind(kind) for kind in task_kinds()],
    }
    return task, _plain(definitions)


def changes_schema(task: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """The schema of the changes by a variant: all keys that any kind has."""
    properties: dict[str, list[Schema]] = {}
    for kind in task_kinds():
        for name, form in definitions[f"task.{kind}"]["properties"].items():
            forms = properties.setdefault(name, [])
            forms += [] if form in forms else [form]
    merged = {name: {"anyOf": forms} for name, forms in properties.items()}
    return {
        "type": "object",
        "properties": {**merged, **task["properties"]},
        "additionalProperties": False,
    }


def _when_kind(kind: str) -> Schema:
    named = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    return {"if": named, "then": {REF: f"#/$defs/task.{kind}"}}


class _TaskGenerator(Generator):
    """Adds the params that may stand for texts."""

    def literal_schema(self, schema: Any) -> Schema:
        """One of several texts, or the param that has it."""
        made: Schema = super().literal_schema(schema)
        return made if "const" in made else {"anyOf": [made, PARAM_NAME]}


def _plain(value: Any) -> Any:
    """With the bounds that pydantic leaves under its own names, which are narrower than those beside them."""
    if isinstance(value, list):
        return list(map(_plain, value))
    if not isinstance(value, dict):
        return value
    names = sorted(value, key=_BOUNDS.__contains__)
    return {_BOUNDS.get(name, name): _plain(value[name]) for name in names}
