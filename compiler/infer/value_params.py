"""Params that are values alone: floats on which no type, no condition and no number of copies depends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from compiler.elaborate.check_names import formulas
from compiler.expr.syntax import names_in
from compiler.infer.repeats import uses_counter
from compiler.ir.graph import Alternatives, Node, OpParam, Scope
from compiler.op.arg_types import Formula
from compiler.op.op import value_arguments

_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


class ValueParams:
    """The value params of scopes, found once for each."""

    def __init__(self) -> None:
        self._known: dict[Scope, frozenset[str]] = {}
        self._dependents: dict[Scope, tuple[str, ...]] = {}

    def of(self, scope: Scope) -> frozenset[str]:
        """The params of a block that are values alone.

        Their every use is an argument that neither rules nor code look at, or such a param of
        another block.
        """
        found = self._known.get(scope)
        if found is None:
            self._known[scope] = frozenset()  # in a block that holds itself: none
            floats = {n for n, param in scope.params.items() if param.kind == "float"}
            looked_at = self._looked_at(scope) if floats else ()
            found = frozenset(floats.difference(looked_at))
            self._known[scope] = found
        return found

    def dependents(self, scope: Scope) -> tuple[str, ...]:
        """The layers of a scope whose values depend on those params, directly or inside a group."""
        found = self._dependents.get(scope)
        if found is None:
            values = self.of(scope.environment)
            nodes = scope.nodes.items()
            found = tuple(n for n, node in nodes if self._depends(node, values))
            self._dependents[scope] = found
        return found

    def _depends(self, node: Node, values: frozenset[str]) -> bool:
        if isinstance(node.target, Alternatives):
            return any(self._depends(one, values) for one in node.target.nodes)
        inside = node.target
        if isinstance(inside, Scope) and inside.kind == "group":
            return bool(self.dependents(inside))
        return any(names & values for _, names in _arguments(node))

    def _looked_at(self, scope: Scope) -> Iterator[str]:
        """The names that something else depends on."""
        for pattern in scope.inputs.values():
            for size in pattern.dims if pattern else ():
                yield from names_in(size)
        for param in scope.params.values():
            yield from _names(param.default)
        for node in scope.each_node():
            yield from self._looked_at_by(node)

    def _looked_at_by(self, node: Node) -> Iterator[str]:
        for _, formula in formulas(node.layer, {}):
            yield from names_in(formula.expr)
        for carry in node.carry.values():
            for size in carry.shape:
                yield from names_in(size)
        if isinstance(node.target, OpParam):  # whose arguments are not read yet
            yield from _WORD.findall(str(node.arguments))
        values = self._value_arguments(node)
        for key, names in _arguments(node):
            if key not in values:
                yield from names
        if isinstance(node.target, Scope) and node.target.kind == "group":
            yield from self._looked_at(node.target)

    def _value_arguments(self, node: Node) -> frozenset[str]:
        """The arguments of a layer that are values alone."""
        target, repeat = node.target, node.layer.repeat
        if isinstance(target, OpParam | Alternatives):
            return frozenset()
        if repeat is not None and uses_counter(target, node.arguments):
            return frozenset()  # which copies are equal depends on them
        return self.of(target) if isinstance(target, Scope) else value_arguments(target)


def _arguments(node: Node) -> Iterator[tuple[str, frozenset[str]]]:
    """The arguments of a layer with the names in their formulas."""
    for key, value in node.arguments.items():
        yield key, frozenset(_names(value))


def _names(value: Any) -> Iterable[str]:
    if isinstance(value, Formula):
        return names_in(value.expr)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, tuple | list):
        return (name for item in value for name in _names(item))
    return ()
