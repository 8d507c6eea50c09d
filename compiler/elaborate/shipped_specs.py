"""The specs that come with LayerGraph, and their blocks."""

from __future__ import annotations

from pathlib import Path


def shipped_specs() -> Path:
    """Their folder: `layergraph/specs`, which is a link to `specs/` in a checkout."""
    return (Path(__file__).resolve().parents[2] / "layergraph" / "specs").resolve()
