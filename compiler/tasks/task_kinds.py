"""The kinds of tasks: one file each under `compiler/tasks/kinds`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from compiler.op.find_modules import module_names, only_class
from compiler.tasks.task import Task

_PACKAGE = "compiler.tasks.kinds"


def task_names() -> list[str]:
    """The names of the kinds, which are those of their files."""
    return module_names(_PACKAGE)


@cache
def task_kind(name: str) -> type[Task]:
    """The class of a kind of task; only its file is imported."""
    return only_class(f"{_PACKAGE}.{name}", Task)  # type: ignore[type-abstract]


def task_kinds() -> Mapping[str, type[Task]]:
    """All kinds by name."""
    return {name: task_kind(name) for name in task_names()}
