"""Plug-ins: ops, tasks, data sets, losses and metrics of the user's own, declared in Python as those here are.

A plug-in is a module: a file that the user names on the command line, or what an installed package has
under the entry point `layergraph.plugins`. A spec can use what it declares, but names no plug-in itself.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final, TypeVar

from compiler.diagnostics.diagnostic import RequestError
from compiler.language.choice import Choice
from compiler.op.definition_source import definition_source
from compiler.op.find_modules import module_names
from compiler.op.library_sources import add_source
from compiler.op.op import Op
from compiler.op.registry import forget, ops_of
from compiler.tasks.data_set import DataSet
from compiler.tasks.losses import Loss
from compiler.tasks.metrics import Metric
from compiler.tasks.task import Task
from compiler.tasks.task_kinds import add_task_kind, task_names

GROUP: Final = "layergraph.plugins"
"""The group of entry points: each is a module."""
METHODS: Final[dict[type[Choice], str]] = {
    DataSet: "load",
    Loss: "compute",
    Metric: "compute",
}
"""The methods that a plug-in's classes need, where those here are found by name in runtime/."""
_modules: Final[list[ModuleType]] = []
T = TypeVar("T")


def load_plugin(file: Path) -> ModuleType:
    """Run a file, and register the ops, tasks, data sets, losses and metrics that it declares.

    Raises:
        RequestError: if it cannot be run, or a declaration is incomplete or has a name that is taken.
    """
    file = file.resolve()
    name = f"layergraph_plugin_{file.stem}"
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__ == str(file):
        return loaded
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise RequestError(f"the plug-in {file} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module  # pickled objects and annotations refer to it
    before = _known()
    try:
        spec.loader.exec_module(module)
        _register(module, before)
    except RequestError:
        _forget(name, before)
        raise
    except Exception as error:
        _forget(name, before)
        raise RequestError(_place(file, error)) from error
    return module


@cache
def load_installed() -> bool:
    """Register what installed packages declare; whether there is any. Done once, when a spec has an unknown name.

    Raises:
        RequestError: as `load_plugin`.
    """
    found = entry_points(group=GROUP)
    for entry in found:
        before = _known()
        try:
            module = entry.load()
        except Exception as error:
            message = f"the plug-in {entry.name} ({entry.value}) fails: {error}"
            raise RequestError(message) from error
        _register(module, before)
    return bool(found)


def _forget(name: str, before: dict[type[Choice], dict[str, type[Choice]]]) -> None:
    """Undo what a module that failed has registered."""
    del sys.modules[name]
    forget(name)
    for family, taken in before.items():
        others = {
            thing.name: thing
            for thing in family._members.values()
            if thing.__module__ != name
        }
        family._members = {**taken, **others}


def plugin_classes(base: type[T]) -> Iterator[type[T]]:
    """The classes of a base that plug-ins declare."""
    for module in _modules:
        yield from _classes(module, base)


def _classes(module: ModuleType, base: type[T]) -> Iterator[type[T]]:
    for member in vars(module).values():
        own = isinstance(member, type) and member.__module__ == module.__name__
        if own and issubclass(member, base):
            yield member


def _known() -> dict[type[Choice], dict[str, type[Choice]]]:
    """The names that are taken, by family."""
    return {family: dict(family._members) for family in METHODS}


def _register(
    module: ModuleType, before: dict[type[Choice], dict[str, type[Choice]]]
) -> None:
    """Check what a module declares; classes of a family have registered themselves when they were made.

    Raises:
        RequestError: if a declaration is incomplete, or has a name that is taken.
    """
    for family, method in METHODS.items():
        for thing in _classes(module, family):
            if not thing.name:
                continue
            files = module_names(family.package) if family.package else []
            if thing.name in before[family] or thing.name in files:
                message = f"there is a {family.noun} {thing.name} already"
                raise RequestError(f"{_where(module, thing)}: {message}")
            if not callable(getattr(thing, method, None)):
                message = f"the {family.noun} {thing.name} has no method `{method}`"
                raise RequestError(f"{_where(module, thing)}: {message}")
    for kind in _classes(module, Task):  # type: ignore[type-abstract]
        names = getattr(kind.model_fields.get("kind"), "annotation", None)
        name = next(iter(getattr(names, "__args__", ())), None)
        if not isinstance(name, str):
            message = f'the task {kind.__name__} needs `kind: Literal["its_name"]`'
            raise RequestError(f"{_where(module, kind)}: {message}")
        if name in task_names():
            message = f"there is a task {name} already"
            raise RequestError(f"{_where(module, kind)}: {message}")
        add_task_kind(name, kind)
    for op in ops_of(module.__name__):
        _bring_source(module, op)
    _modules.append(module)


def _bring_source(module: ModuleType, op: type[Op]) -> None:
    """Have generated code carry the class or function that an op stands on."""
    if op.infer is Op.infer:
        message = f"the op {op.name} has no method `infer`"
        raise RequestError(f"{_where(module, op)}: {message}")
    if not op.library or not hasattr(module, op.library):
        return
    try:
        text = Path(str(module.__file__)).read_text(encoding="utf-8")
        add_source(op.library, definition_source(text, op.library))
    except ValueError as error:
        raise RequestError(f"{_where(module, op)}: {error}") from error


def _where(module: ModuleType, thing: type) -> str:
    return f"{module.__file__}, class {thing.__name__}"


def _place(file: Path, error: Exception) -> str:
    """What went wrong in a plug-in, with the line in its file."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [one.lineno for one in frames if one.filename == str(file)]
    line = error.lineno if isinstance(error, SyntaxError) else (lines or [None])[-1]
    place = f"{file}:{line}" if line else str(file)
    return f"the plug-in cannot be run: {place}: {type(error).__name__}: {error}"
