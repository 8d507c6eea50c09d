"""Which classes a file needs: one for each block, whatever the number of its uses.

The uses of a block differ in values, and so may the layers that are switched on; the
class is written from all of them together. A block needs several classes only where
the Python of a layer differs between its uses: for a param of type `op`, for the rank
behind `...`, and for a choice that torch wants other code for (a causal attention).
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from compiler.ir.graph import Node, Scope
from compiler.ir.typed import Instance, TypedNode, hashable
from compiler.language.identifiers import cap_words
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbol_table import Counted
from compiler.symbolic.tensor import TensorType

Key = tuple[Any, ...]


@dataclass(eq=False)
class ClassPlan:
    """A class to be written: its scope and its uses, each layer as one that runs it."""

    key: Key
    scope: Scope
    uses: list[Instance] = field(default_factory=list)
    layers: dict[str, TypedNode] = field(default_factory=dict)
    name: str = ""
    outputs: dict[str, TensorType] = field(default_factory=dict)
    """The types of the outputs, where these are not those of the first use."""
    differing: dict[str, tuple[Dim, ...]] = field(default_factory=dict)
    """What sizes may be that differ between the uses, by the symbols that tell them."""

    @property
    def first(self) -> Instance:
        """The use that stands for all where they do not differ."""
        return self.uses[0]

    @property
    def counted_as(self) -> Mapping[str, Counted]:
        """What sizes that stand for a formula of the counter of copies come from."""
        return ChainMap(*(use.names.counted_as for use in self.uses))

    def add(self, instance: Instance) -> None:
        """Take another use into account."""
        self.uses.append(instance)
        for name, node in instance.nodes.items():
            known = self.layers.get(name)
            if known is None or _tells_more(node, known):
                self.layers[name] = node

    def ordered(self) -> Iterator[tuple[Node, TypedNode]]:
        """The layers in the order in which they run."""
        for name, node in self.scope.nodes.items():
            yield node, self.layers[name]

    def ports(self) -> list[str]:
        """The inputs of `forward`: those that are always there before the optional ones.

        An optional input that no use has is left out.
        """
        patterns = self.scope.inputs
        present = [p for p in patterns if any(use.inputs.get(p) for use in self.uses)]
        return sorted(present, key=self.is_optional)

    def is_optional(self, port: str) -> bool:
        """Whether an input may be None when the code runs."""
        pattern = self.scope.inputs.get(port)
        if pattern is not None:
            return pattern.optional
        return any(use.inputs.get(port) is None for use in self.uses)

    def given(self) -> dict[str, TensorType]:
        """The types of the outputs."""
        return {**self.first.outputs, **self.outputs}

    def choices(self) -> set[Key]:
        """The different choices that the uses make."""
        return {choices(use) for use in self.uses}


def _tells_more(node: TypedNode, known: TypedNode) -> bool:
    """Whether another use runs a layer that this one does not, or tells more of it.

    It does so by more inputs, or by copies that differ where they are alike here.
    """

    def told(typed: TypedNode) -> tuple[bool, int, int]:
        inputs = typed.calls[0].inputs.values() if typed.calls else ()
        given = sum(kind is not None for kind in inputs)
        return bool(typed.calls), given, len(typed.calls)

    return told(node) > told(known)


@dataclass
class Plans:
    """The classes of a file, by key and in order: those used before those that use."""

    split: set[int] = field(default_factory=set)
    """The scopes that need a class for each set of choices."""
    by_key: dict[Key, ClassPlan] = field(default_factory=dict)
    order: list[ClassPlan] = field(default_factory=list)

    def key(self, instance: Instance) -> Key:
        """Which class an instance belongs to."""
        scope = instance.scope
        split = {id(scope), id(scope.environment)} & self.split
        made = choices(instance) if split else ()
        return id(scope), _targets(instance), _ranks(instance), made

    def of(self, instance: Instance) -> ClassPlan:
        """The class of an instance."""
        return self.by_key[self.key(instance)]


def plan_classes(starts: Iterable[Instance], split: set[int]) -> Plans:
    """The classes that networks need, where some scopes need several."""
    plans = Plans(split)
    seen: set[int] = set()
    for instance in starts:
        _visit(instance, plans, seen)
    for plan in list(plans.order):
        _show_speculative(plan, plans, seen)
    return plans


def _show_speculative(plan: ClassPlan, plans: Plans, seen: set[int]) -> None:
    """Take layers that no use runs as they would run, and the classes that they need."""
    rest = plans.order[plans.order.index(plan) :]
    del plans.order[-len(rest) :]
    for name, node in plan.layers.items():
        plan.layers[name] = node.shown
        for call in node.speculative if not node.calls else ():
            if call.instance is not None:
                _visit(call.instance, plans, seen)
    plans.order += rest


def choices(instance: Instance) -> Key:
    """The values of the params that are no numbers; a list counts by its length."""
    return tuple(
        (name, len(value) if isinstance(value, tuple) else hashable(value))
        for name, value in _choosing(instance).items()
    )


def _choosing(instance: Instance) -> dict[str, Value]:
    return {
        name: value
        for name, value in instance.params.items()
        if isinstance(value, bool | str | tuple)
    }


def _targets(instance: Instance) -> Key:
    params = instance.scope.environment.params
    return tuple(
        str(instance.params[name])
        for name, param in params.items()
        if param.type == "op"
    )


def _ranks(instance: Instance) -> Key:
    pairs = zip(instance.inputs.values(), instance.scope.inputs.values(), strict=True)
    return tuple(
        kind.rank if kind and pattern and pattern.ellipsis is not None else 0
        for kind, pattern in pairs
    )


def _visit(instance: Instance, plans: Plans, seen: set[int]) -> None:
    if id(instance) in seen:
        return
    seen.add(id(instance))
    key = plans.key(instance)
    known = plans.by_key.get(key)
    plan = known or plans.by_key.setdefault(key, ClassPlan(key, instance.scope))
    plan.add(instance)
    for node in instance.nodes.values():
        for call in node.calls:
            if call.instance is not None:
                _visit(call.instance, plans, seen)
    if known is None:
        plans.order.append(plan)


def name_classes(order: list[ClassPlan], taken: Iterable[str]) -> None:
    """Name each class after its block, and several of one block by how they differ.

    That is the param that is true for one of them (`CausalAttention`), else a number.
    """
    used = set(taken)
    ranked = sorted(order, key=lambda plan: plan.scope.kind != "network")
    of_block: dict[Scope, list[ClassPlan]] = {}
    for plan in order:
        of_block.setdefault(plan.scope, []).append(plan)
    for plan in ranked:
        plan.name = _free(_wanted(plan, of_block[plan.scope]), used)
        used.add(plan.name)


def _wanted(plan: ClassPlan, siblings: list[ClassPlan]) -> str:
    true = [name for name, value in _choosing(plan.first).items() if value is True]
    telling = [
        name
        for name in true
        if any(other.first.params.get(name) is False for other in siblings)
    ]
    prefix = cap_words(telling[0]) if len(telling) == 1 else ""
    return f"{prefix}{plan.scope.name}"


def _free(name: str, used: set[str]) -> str:
    number, free = 2, name
    while free in used:
        free, number = f"{name}{number}", number + 1
    return free
