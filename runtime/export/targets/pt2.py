"""A network as a program of torch.export, for `torch.export.load`."""

from __future__ import annotations

import io
from typing import Final

import torch

from runtime.export.export_source import ExportSource
from runtime.export.trace import trace

EXTRA: Final = "torch"


def serialize(source: ExportSource) -> bytes:
    """The content of a .pt2 file."""
    buffer = io.BytesIO()
    torch.export.save(trace(*source.only()), buffer)
    return buffer.getvalue()
