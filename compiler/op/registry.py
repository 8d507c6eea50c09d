"""The ops that exist: every class under compiler/ops that is marked with `@register`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from compiler.op.find_modules import find_modules
from compiler.op.op import Colour, Op

_OPS: dict[str, type[Op]] = {}
_T = TypeVar("_T", bound=type[Op])


def register(name: str, torch: str) -> Callable[[_T], _T]:
    """Make an op known under its name in specs; `torch` names the torch class or function it stands for."""

    def decorate(op: _T) -> _T:
        assert name not in _OPS, f"two ops are called {name}"
        op.name, op.torch = name, torch
        op.family = _family(op)
        _OPS[name] = op
        return op

    return decorate


def _family(op: type[Op]) -> str:
    """What the op says, or a base that is no op itself; else the name of its file."""
    declared = (
        vars(kind)["family"]
        for kind in op.__mro__
        if "family" in vars(kind) and (kind is op or "name" not in vars(kind))
    )
    return str(next(declared, op.__module__.rpartition(".")[2]))


@cache
def family_colours() -> dict[str, Colour]:
    """The colours of families in diagrams: the `COLOUR` of the file that has the family's name.

    >>> family_colours()["conv"]
    'teal'
    """
    return {
        module.__name__.rpartition(".")[2]: module.COLOUR
        for module in find_modules("compiler.ops")
        if hasattr(module, "COLOUR")
    }


@cache
def typed_functions() -> frozenset[str]:
    """The functions whose result a type checker knows to be a Tensor."""
    return frozenset(op.typed_function for op in ops().values() if op.typed_function)


@cache
def ops() -> dict[str, type[Op]]:
    """All ops by name, sorted."""
    deque(find_modules("compiler.ops"), maxlen=0)
    return dict(sorted(_OPS.items()))
