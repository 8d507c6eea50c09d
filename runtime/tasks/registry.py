"""The learner for a task of each kind: the one of the module of its name beside this one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from runtime.tasks.learner import Learner


def learner(kind: str) -> type[Learner[Any]]:
    """The class that trains networks for a task."""
    module = import_module(f"runtime.tasks.{kind}")
    (found,) = (
        one
        for one in vars(module).values()
        if isinstance(one, type)
        and issubclass(one, Learner)
        and one.__module__ == module.__name__
    )
    return found
