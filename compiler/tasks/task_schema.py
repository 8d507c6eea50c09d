"""`task:` as JSON Schema: a definition for each kind of task, data set, optimizer and schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from compiler.language.schema_forms import FORMULA, PARAM_NAME, REF, Schema
from compiler.language.schema_generator import Generator
from compiler.tasks.choices import Choice, choices, needed
from compiler.tasks.field_docs import descriptions, summary
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
    """The schema of what a variant changes in a task: any keys that some kind has."""
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
    """Adds what declarations of tasks read besides: formulas, `$name`, single names."""

    def model_schema(self, schema: Any) -> Schema:
        """A model, with what its docstring says of it and of its fields."""
        model = schema["cls"]
        made: Schema = super().model_schema(schema)
        made["description"] = summary(model)
        for name, text in descriptions(model).items():
            made["properties"][name]["description"] = text
        return _choice(model, made) if issubclass(model, Choice) else made

    def literal_schema(self, schema: Any) -> Schema:
        """One of several texts, or the param that has it."""
        made: Schema = super().literal_schema(schema)
        return made if "const" in made else {"anyOf": [made, PARAM_NAME]}

    def function_before_schema(self, schema: Any) -> Schema:
        """A number, or the formula that gives it."""
        made: Schema = super().function_before_schema(schema)
        name = schema["function"]["function"].__qualname__
        if name == "number":
            return {"anyOf": [made, FORMULA]}
        return {"anyOf": [made, {"type": "integer"}]} if name == "_bits" else made


def _choice(model: type[Choice], made: Schema) -> Schema:
    """One of several things: its name alone, or with arguments."""
    alone = [name for name, one in choices(model).items() if not needed(one)]
    properties = made["properties"]
    for form in properties.values():
        (only,) = (one for one in form.pop("anyOf") if one != {"type": "null"})
        form.pop("default")
        form |= only
    return {
        "description": made["description"],
        "anyOf": [
            {"enum": alone},
            PARAM_NAME,
            {
                "type": "object",
                "properties": properties,
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            },
        ],
    }


def _plain(value: Any) -> Any:
    """Without titles, and with the bounds that pydantic leaves under its own names."""
    if isinstance(value, list):
        return list(map(_plain, value))
    if not isinstance(value, dict):
        return value
    return {_BOUNDS.get(key, key): _plain(item) for key, item in value.items()}
