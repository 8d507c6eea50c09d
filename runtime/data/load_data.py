"""The data set that a task names, read: `load` of the module of its name beside this one."""

from __future__ import annotations

from importlib import import_module

from compiler.tasks.task import Task
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits


def load(task: Task, section: DataSection) -> DataSplits:
    """Read the data of a task.

    Raises:
        SpecError: where it is not there, or not as it should be.
    """
    module = import_module(f"runtime.data.{task.data.name}")
    data: DataSplits = module.load(task.data.chosen, section)
    for part, examples in (("train on", data.train), ("evaluate with", data.held_out)):
        if not len(examples):
            section.fail("data-empty", f"{task.data.name} has no examples to {part}")
    return data
