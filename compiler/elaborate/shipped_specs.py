"""The specs and recipes that come with LayerGraph."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[2] / "layergraph"


def shipped_specs() -> Path:
    """The folder of the specs and their blocks: `layergraph/specs`, which is a link to `specs/` in a checkout."""
    return (_PACKAGE / "specs").resolve()


def shipped_recipes() -> Path:
    """The folder of the recipes: `layergraph/recipes`, a link as well."""
    return (_PACKAGE / "recipes").resolve()
