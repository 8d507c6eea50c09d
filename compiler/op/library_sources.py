"""The library files that a generated file carries: read as text, never imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGE = "compiler.library."
_FOLDER = Path(__file__).resolve().parents[1] / "library"
_FUNCTION = re.compile(r"^def ([a-z]\w*)", re.MULTILINE)
"""A function of a file; parsing all of them takes far longer."""
_DEFINED = re.compile(r"^(?:def|class) (\w+)", re.MULTILINE)


def in_order(names: Iterable[str]) -> list[str]:
    """These files and those that they stand on, each once and behind what it needs."""
    order: dict[str, None] = {}
    for name in names:
        _add(name, order)
    return list(order)


def class_names(names: Iterable[str]) -> set[str]:
    """The classes that these files and those that they stand on bring along."""
    return {
        node.name
        for name in in_order(names)
        for node in tree_of(name)[1].body
        if isinstance(node, ast.ClassDef)
    }


def _add(name: str, order: dict[str, None]) -> None:
    for other in _needs(name):
        _add(other, order)
    order.setdefault(name, None)


def add_source(name: str, text: str) -> None:
    """Make a text known as a library file, which a plug-in brings along.

    Raises:
        ValueError: if there is such a file, class or function already.
    """
    for file in _FOLDER.glob("*.py"):
        if name == file.stem or name in _DEFINED.findall(file.read_text("utf-8")):
            raise ValueError(f"{name} is a name of LayerGraph's own library")
    _ADDED[name] = text
    tree_of.cache_clear()
    function_names.cache_clear()


_ADDED: dict[str, str] = {}
"""The library files of plug-ins: the text of each by its name."""


@cache
def tree_of(name: str) -> tuple[str, ast.Module]:
    """The text of a library file, and its syntax."""
    text = _ADDED.get(name)
    if text is None:
        text = (_FOLDER / f"{name}.py").read_text(encoding="utf-8")
    return text, ast.parse(text)


def _needs(name: str) -> list[str]:
    _, tree = tree_of(name)
    modules = [
        node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)
    ]
    return [
        module.removeprefix(PACKAGE) for module in modules if module.startswith(PACKAGE)
    ]


@cache
def function_names() -> frozenset[str]:
    """The functions of the library, which no variable of a generated file may hide."""
    files = (file.read_text(encoding="utf-8") for file in _FOLDER.glob("*.py"))
    texts = (*files, *_ADDED.values())
    return frozenset(name for text in texts for name in _FUNCTION.findall(text))
