"""The ops that exist: every class under compiler/ops that is marked with `@register`.

A spec names few of them. Importing all files takes several times as long as reading their text, so that only those are
imported whose text has what is asked for.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from compiler.op.find_modules import find_modules
from compiler.op.op import Colour, Op

_PACKAGE = "compiler.ops"
_REGISTERED = re.compile(rb'^@register\(\s*"(\w+)"', re.MULTILINE)

_OPS: dict[str, type[Op]] = {}
_T = TypeVar("_T", bound=type[Op])


def register(name: str, torch: str) -> Callable[[_T], _T]:
    """Make an op known under its name in specs; `torch` names the torch class or function it stands for.

    Raises:
        ValueError: if a plug-in declares an op that there is.
    """

    def decorate(op: _T) -> _T:
        op.name, op.torch = name, torch
        op.family = _family(op)
        if not op.__module__.startswith(_PACKAGE):
            if find_op(name) is not None:
                raise ValueError(f"there is an op {name} already")
            _ask_again()
        assert name not in _OPS, f"two ops are called {name}"
        _OPS[name] = op
        return op

    return decorate


def forget(module: str) -> None:
    """Forget the ops of a plug-in's module."""
    for op in ops_of(module):
        del _OPS[op.name]
    _ask_again()


def ops_of(module: str) -> list[type[Op]]:
    """The ops that a plug-in's module has registered."""
    return [op for op in _OPS.values() if op.__module__ == module]


def _ask_again() -> None:
    """What is known of all ops is worked out once more when one is added or goes."""
    for known in (ops, typed_functions, own_modules):
        known.cache_clear()


def _family(op: type[Op]) -> str:
    """What the op says, or a base that is no op itself; else the name of its file."""
    declared = (
        vars(kind)["family"]
        for kind in op.__mro__
        if "family" in vars(kind) and (kind is op or "name" not in vars(kind))
    )
    return str(next(declared, op.__module__.rpartition(".")[2]))


@cache
def ops() -> dict[str, type[Op]]:
    """All ops by name, sorted."""
    deque(find_modules(_PACKAGE), maxlen=0)
    return dict(sorted(_OPS.items()))


def find_op(name: str) -> type[Op] | None:
    """The op of a name; None if there is none.

    >>> find_op("linear").module
    'nn.Linear'
    """
    known = _OPS.get(name)
    if known is not None:
        return known
    file = _files_by_op().get(name)
    if file is not None:
        _module(file)
    return _OPS.get(name)


def op_names() -> list[str]:
    """The names of all ops, sorted."""
    return sorted(_files_by_op().keys() | _OPS.keys())


def families() -> list[str]:
    """The names of the families of ops, sorted."""
    return list(_texts())


@cache
def family_colour(family: str) -> Colour | None:
    """The colour of a family in diagrams, the `COLOUR` of the file with its name; None if it has none.

    >>> family_colour("conv")
    'teal'
    """
    if family not in _texts():
        return None
    found: Colour | None = getattr(_module(family), "COLOUR", None)
    return found


@cache
def typed_functions() -> frozenset[str]:
    """The functions whose result a type checker knows to be a Tensor."""
    return frozenset(op.typed_function for op in _ops_that_set("typed_function"))


@cache
def own_modules() -> dict[str, type[Op]]:
    """The ops for which torch has a module of its own, by the class that generated code may carry for them."""
    return {op.module: op for op in _ops_that_set("own_module")}


def _ops_that_set(attribute: str) -> list[type[Op]]:
    for file, text in _texts().items():
        if attribute.encode() in text:
            _module(file)
    return [op for _, op in sorted(_OPS.items()) if getattr(op, attribute)]


def _module(file: str) -> ModuleType:
    return import_module(f"{_PACKAGE}.{file}")


@cache
def _texts() -> dict[str, bytes]:
    """The text of every file of ops, by its name."""
    (folder,) = import_module(_PACKAGE).__path__
    files = sorted(Path(folder).glob("*.py"))
    return {file.stem: file.read_bytes() for file in files}


@cache
def _files_by_op() -> dict[str, str]:
    """The file of every op, by the op's name, sorted."""
    found = {
        name.decode(): file
        for file, text in _texts().items()
        for name in _REGISTERED.findall(text)
    }
    return dict(sorted(found.items()))
