"""Params that are computed from others where that may fail, and the tests that ask for their values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from compiler.codegen.python import (
    Binary,
    Call,
    Compare,
    Expr,
    Literal,
    Logic,
    Name,
    Subscript,
)
from compiler.codegen.traversal import placeholders, walk
from compiler.ir.module import ScopeName
from compiler.lower.constructors import is_computed
from compiler.lower.scope_code import value_code


def late_params(defaults: Mapping[str, Any]) -> Collection[str]:
    """The params that are computed from others, where working one out may fail: arguments are refused before that."""
    computed = {name: code for name, code in defaults.items() if is_computed(code)}
    every = (part for code in computed.values() for part in walk(value_code(code)))
    return computed if any(map(_may_fail, every)) else ()


def _may_fail(part: object) -> bool:
    match part:
        case Binary("//" | "%" | "/", _, divisor):
            return not isinstance(divisor, Literal)
        case Subscript():
            return True
        case Call(Name("range"), (count,)):
            return not isinstance(count, Literal)
        case Call(Name(name)):
            return name in ("math.log", "math.sqrt")
    return False


def asks_for(test: Expr, params: Collection[str]) -> bool:
    """Whether a test asks for the value of one of some params, and not for whether it is given."""
    match test:
        case Logic("and", (Compare("is"), *rest)):
            return any(asks_for(one, params) for one in rest)
    names = (key.name for key in placeholders(test) if isinstance(key, ScopeName))
    return any(name in params for name in names)
