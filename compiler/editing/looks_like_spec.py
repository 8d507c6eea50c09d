"""Whether a YAML file is a spec or a recipe, by a quick look at its keys."""

from __future__ import annotations

import re
from typing import Final

from compiler.language.recipe import Recipe
from compiler.language.spec import Spec

_KEY: Final = re.compile(r"^([A-Za-z_]\w*)[ \t]*:(?=\s|$)", re.MULTILINE)
_COMMENT: Final = re.compile(r"^#.*\blayergraph\b", re.MULTILINE | re.IGNORECASE)
_HEAD: Final = 2_000
"""Characters among which a comment that names LayerGraph counts."""
_KNOWN: Final = frozenset(
    field.alias or name
    for model in (Spec, Recipe)
    for name, field in model.model_fields.items()
)
_TELLING: Final = frozenset(
    ("blocks", "dims", "extends", "layers", "network", "networks", "variants")
)
"""Keys that a file of another kind seldom has."""


def looks_like_spec(text: str) -> bool:
    r"""Whether a text is a spec or a recipe, or becomes one.

    It is if a comment at its beginning names LayerGraph; or if most of its keys in the first column are keys of a spec
    or a recipe, and among them is one of `layers`, `blocks`, `networks`, `network`, `extends`, `dims` and `variants`.

    >>> looks_like_spec("name: Net\nlayers:\n  a: relu"), looks_like_spec("version: 3\nnetworks:\n  a: b")
    (True, False)
    """
    if _COMMENT.search(text[:_HEAD]):
        return True
    keys = set(_KEY.findall(text))
    return bool(keys & _TELLING) and 3 * len(keys & _KNOWN) > 2 * len(keys)


def may_become_spec(text: str) -> bool:
    """Whether nothing in a text says that it is no spec: it has no keys but those of one."""
    return looks_like_spec(text) or set(_KEY.findall(text)) <= _KNOWN
