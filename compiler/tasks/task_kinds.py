"""The kinds of tasks: one file each under `compiler/tasks/kinds`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from compiler.op.find_modules import module_names
from compiler.tasks.task import Task

_PACKAGE = "compiler.tasks.kinds"


def task_names() -> list[str]:
    """The names of the kinds, which are those of their files."""
    return module_names(_PACKAGE)


@cache
def task_kind(name: str) -> type[Task]:
    """The class of a kind of task; only its file is imported."""
    module = import_module(f"{_PACKAGE}.{name}")
    (kind,) = (
        found
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, Task)
        and found.__module__ == module.__name__
    )
    return kind


def task_kinds() -> Mapping[str, type[Task]]:
    """All kinds by name."""
    return {name: task_kind(name) for name in task_names()}
