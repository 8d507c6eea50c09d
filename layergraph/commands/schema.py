"""`schema`: the language as a JSON Schema."""

from __future__ import annotations

from compiler.reporting.json_schema import schema as language
from layergraph.commands._output import echo_json


def schema() -> None:
    """Print the JSON Schema of the language, for editors.

    Example: layergraph schema > layergraph.schema.json
    """
    echo_json(language())
