"""Going on with a run: only with the networks and the data that it began with."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

from compiler.diagnostics.diagnostic import DataError, RequestError
from compiler.program import Program
from compiler.tasks.task import Task
from runtime.data.dataset import DataSplits
from runtime.engine.checkpoint_file import bare, digest, read_checkpoint
from runtime.engine.run_folder import RunFolder, as_json
from runtime.load import build_networks

FIXED: Final = ("kind", "data", "ports", "batch_size", "accumulate", "seed")
"""What a run keeps to its end; besides, all of its optimizers but the learning rate."""


def state_of(program: Program, folder: RunFolder) -> dict[str, Any]:
    """The state to go on from.

    Raises:
        RequestError: where there is none, it cannot be read, or it is of another spec.
    """
    about = folder.read_json("run.json")
    state = read_checkpoint(folder)
    if state["spec"] != digest(program.python):
        few = "; ".join(islice(_differences(program, folder, about, state), 5))
        message = f"{folder.path} holds a run of another spec: {few}"
        raise RequestError(message)
    return state


def _differences(
    program: Program, folder: RunFolder, about: Mapping[str, Any], state: dict[str, Any]
) -> Iterator[str]:
    """Tensors that are other ones, or else classes that are."""
    here = {
        f"{network}.{name}" if network else name: list(tensor.shape)
        for network, module in build_networks(program).items()
        for name, tensor in module.state_dict().items()
    }
    there = {
        f"{network}.{name}" if network else name: list(tensor.shape)
        for network, tensors in state["networks"].items()
        for name, tensor in tensors.items()
    }
    if here == there:
        file = folder.path / f"{Path(about['spec']).stem}.py"
        yield from _other_classes(program.python, file)
    for name in dict.fromkeys((*there, *here)):
        if name not in here:
            yield f"{name} is not in the networks of the spec"
        elif name not in there:
            yield f"{name} is not in the run"
        elif here[name] != there[name]:
            yield f"{name} is {there[name]} there, and {here[name]} in the spec"


def _other_classes(python: str, file: Path) -> Iterator[str]:
    try:
        before = _classes(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        before = {}
    now = _classes(python)
    for name in dict.fromkeys((*before, *now)):
        if before.get(name) != now.get(name):
            yield f"class {name} differs"


def _classes(python: str) -> dict[str, str]:
    body = ast.parse(python).body
    return {one.name: bare(one) for one in body if isinstance(one, ast.ClassDef)}


def as_settings(task: Task) -> dict[str, Any]:
    """A task as plain values, for `run.json`."""
    found: dict[str, Any] = task.model_dump(
        mode="json", exclude_none=True, warnings=False
    )
    return found


def changes(task: Task, about: Mapping[str, Any]) -> list[str]:
    """What the task says otherwise than when the run began.

    Raises:
        RequestError: where a run cannot go on so.
    """
    before, now = dict(_flat(about.get("task", {}))), dict(_flat(as_settings(task)))
    found = {
        path: f"{'.'.join(('task', *path))}: {before.get(path)} -> {now.get(path)}"
        for path in dict.fromkeys((*before, *now))
        if before.get(path) != now.get(path)
    }
    fixed = [text for path, text in found.items() if is_fixed(path)]
    if fixed:
        few = "; ".join(fixed[:5])
        raise RequestError(f"a run goes on with what it began with: {few}")
    notes = list(found.values())
    if ("epochs",) in found and any("schedule" in path for path in now):
        notes.append("schedules go by the new number of steps")
    return notes


def is_fixed(path: tuple[str, ...]) -> bool:
    """Whether a run keeps to its end what stands at a path of its task."""
    return path[0] in FIXED or ("optimizer" in path and path[-1] != "lr")


def _flat(
    value: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values that are no mappings, by their paths."""
    if isinstance(value, Mapping) and (value or not path):
        for key, one in value.items():
            yield from _flat(one, (*path, str(key)))
    else:
        yield path, value


def check_data(folder: RunFolder, data: DataSplits) -> None:
    """Hold what is kept of the data against what the run keeps.

    Raises:
        DataError: where the data has changed.
    """
    if folder.read_json("vocabulary.json") != json.loads(as_json(data.metadata)):
        message = f"the data is not what {folder.path} began with: its vocabulary.json differs"
        raise DataError(message)
