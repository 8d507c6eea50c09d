"""The kinds of tasks: one file each under `compiler/tasks/kinds`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from compiler.op.find_modules import module_names, only_class
from compiler.tasks.task import Task

_PACKAGE = "compiler.tasks.kinds"
_added: dict[str, type[Task]] = {}
"""The kinds of plug-ins by name."""


def task_names() -> list[str]:
    """The names of the kinds, which are those of their files, and those of plug-ins."""
    return [*module_names(_PACKAGE), *_added]


def add_task_kind(name: str, kind: type[Task]) -> None:
    """Add a kind of a plug-in; its name must not be taken."""
    _added[name] = kind


def task_kind(name: str) -> type[Task]:
    """The class of a kind of task; only its file is imported."""
    return _added[name] if name in _added else _own_kind(name)


@cache
def _own_kind(name: str) -> type[Task]:
    return only_class(f"{_PACKAGE}.{name}", Task)  # type: ignore[type-abstract]


def task_kinds() -> Mapping[str, type[Task]]:
    """All kinds by name."""
    return {name: task_kind(name) for name in task_names()}
