"""Check that a run can be resumed: with the same networks and fixed settings."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from compiler.diagnostics.diagnostic import RequestError
from compiler.program import Program
from compiler.tasks.task import Task
from runtime.engine.checkpoint_file import digest, read_checkpoint, strip_docs
from runtime.engine.run_folder import RunFolder
from runtime.load import build_networks

FIXED: Final = (
    *("kind", "data", "ports", "batch_size", "accumulate", "seed"),
    *("rates", "layer_decay", "decay_all"),
)
"""The keys of a task that cannot change when a run is resumed; of optimizers only `lr` can change."""
_EARLIER: Final[Mapping[tuple[str, ...], Any]] = {("decay_all",): True, ("rates",): {}}
"""What runs did whose task does not say it: they are of an earlier version."""
_SHOWN: Final = 5
"""Maximum number of differences in a message."""


def resumable_checkpoint(program: Program, folder: RunFolder) -> dict[str, Any] | None:
    """The checkpoint to resume from; None if the run was stopped before it saved one.

    Raises:
        RequestError: if the folder is not a run, or the checkpoint is of another spec.
        DataError: if it cannot be read.
    """
    if not folder.is_saved:
        folder.read_json("run.json")
        return None
    info = folder.read_info()
    checkpoint = read_checkpoint(folder)
    if checkpoint["spec"] != digest(program.python):
        differences = islice(_differences(program, folder, info, checkpoint), _SHOWN)
        message = f"{folder.path} has a run of another spec: {'; '.join(differences)}"
        raise RequestError(message)
    return checkpoint


def _differences(
    program: Program,
    folder: RunFolder,
    info: Mapping[str, Any],
    checkpoint: dict[str, Any],
) -> Iterator[str]:
    """The tensors that differ, or else the classes."""
    in_spec = {
        f"{network}.{name}" if network else name: list(tensor.shape)
        for network, module in build_networks(program.traceable()).items()
        for name, tensor in module.state_dict().items()
    }
    in_run = {
        f"{network}.{name}" if network else name: list(tensor.shape)
        for network, tensors in checkpoint["networks"].items()
        for name, tensor in tensors.items()
    }
    if in_spec == in_run:
        file = folder.path / f"{Path(info['spec']).stem}.py"
        yield from _class_differences(program.python, file)
    for name in dict.fromkeys((*in_run, *in_spec)):
        if name not in in_spec:
            yield f"{name} is not in the spec's networks"
        elif name not in in_run:
            yield f"{name} is not in the run"
        elif in_spec[name] != in_run[name]:
            yield f"{name} is {in_run[name]} in the run and {in_spec[name]} in the spec"


def _class_differences(python: str, file: Path) -> Iterator[str]:
    try:
        before = _classes(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        before = {}
    now = _classes(python)
    for name in dict.fromkeys((*before, *now)):
        if before.get(name) != now.get(name):
            yield f"class {name} differs"


def _classes(python: str) -> dict[str, str]:
    """The code of each class of a module, without comments and docstrings."""
    body = ast.parse(python).body
    return {
        node.name: strip_docs(node) for node in body if isinstance(node, ast.ClassDef)
    }


def task_settings(task: Task) -> dict[str, Any]:
    """A task as plain values, for `run.json`."""
    settings: dict[str, Any] = task.model_dump(
        mode="json", exclude_none=True, warnings=False
    )
    return settings


def changed_settings(task: Task, info: Mapping[str, Any]) -> list[str]:
    """The settings of a task that differ from those in `run.json`, and what follows from that.

    Raises:
        RequestError: if one of them cannot change.
    """
    before = {**_EARLIER, **dict(_flatten(info.get("task", {})))}
    now = dict(_flatten(task_settings(task)))
    changes = {
        path: f"{'.'.join(('task', *path))}: {before.get(path)} -> {now.get(path)}"
        for path in dict.fromkeys((*before, *now))
        if before.get(path) != now.get(path)
    }
    fixed = [text for path, text in changes.items() if is_fixed(path)]
    if fixed:
        message = "these settings cannot change when a run is resumed"
        raise RequestError(f"{message}: {'; '.join(fixed[:_SHOWN])}")
    notes = list(changes.values())
    if ("epochs",) in changes and any("schedule" in path for path in now):
        notes.append("learning rate schedules use the new number of steps")
    return notes


def is_fixed(path: tuple[str, ...]) -> bool:
    """Whether the setting at a path of the task cannot change when a run is resumed."""
    starts = path[0] == "start" and path[1:2] in (("weights",), ("new",))
    return path[0] in FIXED or starts or ("optimizer" in path and path[-1] != "lr")


def _flatten(
    value: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values of nested mappings, by path; an empty mapping is a value."""
    if isinstance(value, Mapping) and (value or not path):
        for key, item in value.items():
            yield from _flatten(item, (*path, str(key)))
    else:
        yield path, value
