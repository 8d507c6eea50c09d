"""A layer whose target is known, also where a param names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from compiler.dataclass import dataclass
from compiler.infer.repeats import uses_counter
from compiler.ir.graph import Node, Ref, Scope
from compiler.ir.typed import LayerCall, Types
from compiler.op.op import Op

Refs = Mapping[str, Ref | tuple[Ref, ...]]
"""Values by port."""


@dataclass(frozen=True, slots=True)
class ResolvedLayer:
    """A layer whose target is known, also where a param names it."""

    node: Node
    target: type[Op] | Scope
    arguments: Mapping[str, Any]
    refs: Refs
    """Its inputs by port."""
    each: frozenset[str] = frozenset()
    """The inputs of which each copy takes an item of its own."""

    @property
    def group(self) -> bool:
        """Whether its target is a group."""
        return isinstance(self.target, Scope) and self.target.kind == "group"

    @property
    def repeated(self) -> bool:
        """Whether it may have several copies."""
        return self.node.layer.repeat is not None

    @property
    def counted(self) -> bool:
        """Whether its copies depend on their number."""
        return self.repeated and uses_counter(self.target, self.varied)

    @property
    def varied(self) -> Mapping[str, Any]:
        """What may differ from copy to copy: the arguments, and how weights are initialised."""
        rules = (self.node.layer.init or {}).values()
        formulas = tuple(one for rule in rules for one in rule.formulas.values())
        return {**self.arguments, "init": formulas} if formulas else self.arguments


RunLayer = Callable[[ResolvedLayer, Types, int | None], LayerCall]
"""Infers one run of a layer on types, as its copy of that number where it is repeated."""
