"""What depends on no value: worked out once, however often the layers of a graph are inferred."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.infer.resolved_layer import ResolvedLayer
from compiler.infer.value_params import ValueParams
from compiler.ir.graph import Node, Scope
from compiler.op.arg_types import Formula
from compiler.op.binding import bind
from compiler.op.op import Op
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbol_table import SymbolTable


class GraphFacts:
    """What was found of the layers and scopes of one graph, which all inferences of it share."""

    def __init__(self) -> None:
        self.value_params = ValueParams()
        self.resolved: dict[tuple[Node, type[Op] | Scope], ResolvedLayer] = {}
        """The layers whose target a param names, by the target; without those with a mistake."""
        self.sound_layers: set[tuple[Node, type[Op] | Scope]] = set()
        """The layers that need nothing that may be absent, with their targets."""
        self.sound_scopes: set[Scope] = set()
        """The scopes that say right which outputs may be absent."""
        self._ops: dict[int, tuple[Mapping[str, Any], type[Op], Op | None]] = {}
        """Arguments by identity, with an op and what it is with them; None where they have formulas."""

    def bound(
        self,
        target: type[Op],
        arguments: Mapping[str, Any],
        values: Mapping[str, Value],
        names: SymbolTable,
    ) -> Op:
        """The op of a layer with its arguments: the same one each time they have no formula.

        Raises:
            BindingError: where a formula has no value, or its value is not one that the op takes.
        """
        known = self._ops.get(id(arguments))
        if known is None or known[1] is not target:
            plain = not any(map(_has_formula, arguments.values()))
            op = bind(target, arguments, values, names) if plain else None
            known = self._ops[id(arguments)] = arguments, target, op
        return known[2] or bind(target, arguments, values, names)


def _has_formula(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return any(map(_has_formula, value))
    if isinstance(value, dict):
        return any(map(_has_formula, value.values()))
    return isinstance(value, Formula)
