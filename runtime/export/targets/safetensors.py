"""The weights of all chosen networks as a safetensors file."""

from __future__ import annotations

from typing import Final

from runtime.export.export_source import ExportSource
from runtime.weights import states_bytes

EXTRA: Final = "torch"


def serialize(source: ExportSource) -> bytes:
    """The content of a .safetensors file: the tensors by the names of the spec."""
    return states_bytes(source.states(), source.program)
