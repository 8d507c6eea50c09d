"""The ops that exist: every class under compiler/ops that is marked with `@register`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from compiler.op import Op

_OPS: dict[str, type[Op]] = {}
_T = TypeVar("_T", bound=type[Op])


def register(name: str, torch: str) -> Callable[[_T], _T]:
    """Make an op known under its name in specs; `torch` names the torch class or function it stands for."""

    def decorate(op: _T) -> _T:
        assert name not in _OPS, f"two ops are called {name}"
        op.name, op.torch = name, torch
        op.family = vars(op).get("family", op.__module__.rpartition(".")[2])
        _OPS[name] = op
        return op

    return decorate


@cache
def ops() -> dict[str, type[Op]]:
    """All ops by name, sorted."""
    package = importlib.import_module("compiler.ops")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"compiler.ops.{module.name}")
    return dict(sorted(_OPS.items()))
