"""JSON Schema of what validators read: declared beside each, where the types alone do not say it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from compiler.dataclass import dataclass

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

Schema = dict[str, Any]

REF: Final = "reference"
"""Stands for `$ref` while pydantic is at work, which knows its own references alone."""
FORMULA: Final[Schema] = {REF: "#/$defs/Formula"}
TYPE: Final[Schema] = {REF: "#/$defs/Type"}
OP_NAME: Final[Schema] = {REF: "#/$defs/OpName"}
TEXT: Final[Schema] = {"type": "string"}
PARAM_NAME: Final[Schema] = {"type": "string", "pattern": r"^\$[a-z][a-z0-9_]*$"}
SCALARS: Final[Schema] = {"type": ["integer", "number", "boolean", "string", "array"]}


@dataclass(frozen=True, slots=True)
class SchemaForm:
    """Annotates a type with the schema of what may be written for it, made from the schema of the type.

    >>> from typing import Annotated
    >>> from pydantic import TypeAdapter
    >>> adapter = TypeAdapter(Annotated[int, also_written(TEXT)])
    >>> adapter.json_schema()
    {'anyOf': [{'type': 'string'}, {'type': 'integer'}]}
    """

    change: Callable[[Schema], Schema]

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> Schema:
        """What pydantic asks of an annotation."""
        return self.change(handler(core_schema))


def also_written(*forms: Schema) -> SchemaForm:
    """A value of the type, or of one of these forms."""
    return SchemaForm(lambda long: {"anyOf": [*forms, long]})


@dataclass(frozen=True, slots=True)
class WrittenAs:
    """Annotates a type with the schema of what is written for it, whatever the type is."""

    form: Callable[[], Schema]

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> Schema:
        """What pydantic asks of an annotation."""
        return self.form()


def written_as(form: Schema) -> WrittenAs:
    """A value of this form."""
    return WrittenAs(lambda: dict(form))


def or_list(item: Schema) -> Schema:
    """One of something, or a list of at least one."""
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}
