"""Load the data set that a task names: `load` of the module with its name in this package, or of a plug-in."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from compiler.tasks.data_set import DataSet
from compiler.tasks.task import Task
from runtime.data.data_section import DataSection
from runtime.data.dataset import DataSplits


def load(task: Task, section: DataSection) -> DataSplits:
    """Load the data of a task.

    Raises:
        SpecError: if files are missing or invalid, or a part has no examples that should have some.
    """
    data = _load(task.data, section)
    parts = {"train on": data.train}
    parts |= {"evaluate with": data.held_out} if task.data.holds_out else {}
    parts |= {"test": data.test} if data.test is not None else {}
    for use, examples in parts.items():
        if not len(examples):
            message = f"{task.data.name} has no examples to {use}"
            section.fail("data-empty", message)
    return data


def _load(options: DataSet, section: DataSection) -> DataSplits:
    own: Callable[[DataSection], DataSplits] | None = getattr(options, "load", None)
    if own is not None:  # of a plug-in
        return own(section)
    module = import_module(f"runtime.data.{options.name}")
    data: DataSplits = module.load(options, section)
    return data
