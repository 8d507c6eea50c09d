"""The specs that come with LayerGraph, and their blocks."""

from __future__ import annotations

from pathlib import Path


def shipped_specs() -> Path:
    """Their folder: inside the package where it is installed, `specs/` in a checkout."""
    root = Path(__file__).resolve().parents[2]
    installed = root / "layergraph" / "specs"
    return installed if installed.is_dir() else root / "specs"
