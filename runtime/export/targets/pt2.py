"""A network as a program of torch.export, for `torch.export.load`."""

from __future__ import annotations

import io

import torch

from runtime.export.export_source import ExportSource
from runtime.export.trace import trace


def serialize(source: ExportSource) -> bytes:
    """The content of a .pt2 file."""
    buffer = io.BytesIO()
    torch.export.save(trace(*source.only()), buffer)
    return buffer.getvalue()
