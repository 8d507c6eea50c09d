"""JSON Schema of pydantic's models, in the style of the project's own."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema


class Generator(GenerateJsonSchema):
    """Leaves out titles: a key is its own."""

    def get_title_from_name(self, name: str) -> str:
        """None for a name."""
        return ""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """None for a field."""
        return False
