"""The JSON Schema of the language, made once in a process, and not while tests are collected."""

from __future__ import annotations

from functools import cache

from jsonschema import Draft202012Validator

from compiler.diagnostics.source import Source
from compiler.op.schema_forms import Schema
from compiler.parse.document import to_data
from compiler.parse.parse import parse
from compiler.reporting.json_schema import schema


@cache
def the_schema() -> Schema:
    """The schema, which does not change."""
    return schema()


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(the_schema())


def schema_errors(text: str) -> list[str]:
    """Where the text of a spec or a recipe is not what the schema says."""
    data = to_data(parse(Source("a.yaml", text)).root)
    return [error.json_path for error in _validator().iter_errors(data)]
