"""The kinds of tasks: one file each under `compiler/tasks/kinds`."""

from __future__ import annotations

from functools import cache
from typing import get_args

from compiler.op.find_modules import find_modules
from compiler.tasks.task import Task


@cache
def task_kinds() -> dict[str, type[Task]]:
    """The kinds by name: of each file the class of a task that it defines."""
    return {
        _name(found): found
        for module in find_modules("compiler.tasks.kinds")
        for found in vars(module).values()
        if isinstance(found, type)
        and issubclass(found, Task)
        and found.__module__ == module.__name__
    }


def _name(kind: type[Task]) -> str:
    """The only value of its key `kind`."""
    (name,) = get_args(kind.model_fields["kind"].annotation)
    return str(name)
