"""A name stands for one thing: no two classes share one, nor two modules, unless they are two sides of one thing."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

ROOTS = ("compiler", "runtime", "layergraph")

SIDES = [
    {"compiler/ops", "compiler/library"},  # an op, and the module that its code carries
    {"compiler/tasks/data", "runtime/data"},  # a data set's options, and its reader
    {
        "compiler/tasks/kinds",
        "runtime/tasks",
    },  # what a task asks, and how it is learned
]
"""Packages whose modules and classes of one name are two sides of one thing."""

USERS_NAMES = {
    "layergraph/commands",
    "compiler/diagram/formats",
    "layergraph/documents/views",
}
"""Packages whose modules have the name that users write: a command's, which may be that of the module that does it, a
format's, which is its suffix, and a view's."""

ALONE = {
    "__init__",
    "__main__",
    "text",  # the data set, by its name in specs, and the text of messages
}
"""Modules that share their name for a reason of their own."""


def files() -> Iterable[Path]:
    for root in ROOTS:
        yield from sorted(Path(root).rglob("*.py"))


def one_thing(places: Iterable[Path]) -> bool:
    """Whether files that define one name do so as sides of one thing."""
    folders = [place.parent.as_posix() for place in places]
    several = len(set(folders)) == len(folders)
    return several and any(set(folders) <= side for side in SIDES)


def clashes(found: dict[str, list[Path]]) -> dict[str, list[str]]:
    return {
        name: list(map(str, places))
        for name, places in sorted(found.items())
        if len(places) > 1 and not one_thing(places)
    }


def test_no_two_classes_have_one_name() -> None:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(path)
    assert clashes(found) == {}


def test_no_two_modules_have_one_name() -> None:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in files():
        if path.stem not in ALONE and path.parent.as_posix() not in USERS_NAMES:
            found[path.stem].append(path)
    assert clashes(found) == {}
