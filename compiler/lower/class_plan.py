"""Which classes a file needs: one for each block, whatever the number of its uses.

The uses of a block differ in values, and so may the layers that are switched on; the class is written from all of them
together. They part where one text cannot serve them: for a param of type `op`, for the rank behind `...`, and where
merging found out so (`Parts`).
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from compiler.dataclass import dataclass
from compiler.expr.given import answered, asked_inputs
from compiler.expr.syntax import BooleanLiteral, Given, names_in, unparse
from compiler.infer.absence import absent_source
from compiler.ir.graph import Node, Ref, Scope, may_lack
from compiler.ir.typed import (
    Instance,
    LayerCall,
    TypedGraph,
    TypedNode,
    hashable,
    is_whole,
    walk_instances,
)
from compiler.language.identifiers import cap_words
from compiler.op.arg_types import Formula
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbol_table import CopyFormula
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType

Key = tuple[Any, ...]

Parts = dict[int, tuple[int, ...]]
"""The part of its scope's uses that an instance belongs to, by identity; () where they are not parted."""


@dataclass(frozen=True, eq=False)
class Run:
    """One run of a layer in one use of its class."""

    use: Instance
    node: TypedNode
    call: LayerCall

    @property
    def copies(self) -> range:
        """The numbers of the copies that it stands for."""
        return range(self.call.counter, self.call.counter + self.call.count)

    @property
    def counters(self) -> Sequence[int | None]:
        """What `i` is in its copies; None where the layer has none, so that it is that of the scope."""
        return (None,) if self.node.node.layer.repeat is None else self.copies


@dataclass(eq=False)
class ClassPlan:
    """A class to be written: its scope and its uses, each layer as the use that tells most of it."""

    key: Key
    scope: Scope
    uses: list[Instance] = field(default_factory=list)
    layers: dict[str, TypedNode] = field(default_factory=dict)
    wanted: str = ""
    """The name that it has where no other class has it."""
    name: str = ""
    outputs: dict[str, TensorType] = field(default_factory=dict)
    """The types of the outputs, where these are not those of the first use."""
    fixed: Mapping[str, Value] = field(default_factory=dict)
    """The params of a network that its constructor does not take, with their values."""
    alike: list[ClassPlan] = field(default_factory=list)
    """The classes whose objects stand in one list with those of this one: their `forward` takes the same."""
    remembers: bool = False
    """Whether it keeps something between the pieces of a sequence, or counts positions, as no `nn.Sequential` can."""
    _shown: dict[str, Instance] = field(default_factory=dict)

    @property
    def first(self) -> Instance:
        """The use that stands for all where they do not differ."""
        return self.uses[0]

    @property
    def copy_formulas(self) -> Mapping[Symbol, CopyFormula]:
        """What sizes that stand for a formula of the counter of copies come from."""
        return ChainMap(*(use.names.copy_formulas for use in self.uses))

    def add(self, instance: Instance) -> None:
        """Take another use into account."""
        self.uses.append(instance)
        for name, node in instance.nodes.items():
            known = self.layers.get(name)
            if known is None or _tells_more(node, known):
                self.layers[name] = node
                self._shown[name] = instance

    def ordered(self) -> Iterator[tuple[Node, TypedNode]]:
        """The layers in the order in which they run."""
        for name in self.scope.nodes:
            yield self.layers[name].node, self.layers[name]

    def runs(self, layer: str) -> list[Run]:
        """Every run of a layer in every use; as it would run, where it is off in all of them."""
        found = [
            Run(use, node, call)
            for use in self.uses
            if (node := use.nodes.get(layer)) is not None
            for call in node.calls
        ]
        if found:
            return found
        shown = self.layers[layer]
        return [Run(self._shown[layer], shown, call) for call in shown.calls]

    def live(self) -> set[str]:
        """The layers that an output depends on."""
        live = {ref.node for ref in self.scope.outputs.values()}
        for name in reversed(list(self.scope.nodes)):
            if name in live:
                live.update(ref.node for _, ref in refs_of(self.layers[name]))
        return live

    def decides(self, layer: str) -> bool | None:
        """Whether a layer with `when` runs in all uses, or in none; None where the code asks.

        Of a class that is one of several for its scope the condition may have been decided with the class; one over
        fixed params alone is.
        """
        nodes = [
            node for use in self.uses if (node := use.nodes.get(layer)) is not None
        ]
        runs = {bool(node.calls) for node in nodes}
        found = self._decided(layer, runs)
        return None if found and self._asks(layer) else found

    def may_lack(self, layer: str) -> bool:
        """Whether the value of a layer may be None when the code runs."""
        return self.scope.nodes[layer].may_be_absent and self.decides(layer) is None

    def builds(self, layer: str) -> bool | None:
        """Whether what a layer needs is built in all uses, or in none; None where the constructor asks."""
        nodes = (use.nodes.get(layer) for use in self.uses)
        return self._decided(layer, {one.is_built for one in nodes if one is not None})

    def condition(self, layer: str) -> Formula | bool | None:
        """When a layer runs, in terms of those inputs alone that may be None in this class."""
        keys, ports = self.scope.nodes[layer].layer, self.ports()

        def answer(one: Given, _: bool) -> bool | None:
            if one.input in ports and self.is_optional(one.input):
                return None
            return one.input in ports

        if not keys.asks_given:
            return keys.when  # type: ignore[no-any-return]
        found = answered(keys.when.expr, answer)
        return found.value if isinstance(found, BooleanLiteral) else Formula(found, "")

    def built_when(self, layer: str) -> Formula | bool | None:
        """When what a layer needs is built: where its condition may hold for some inputs; None where it always is."""
        keys = self.scope.nodes[layer].layer

        def answer(one: Given, hoped: bool) -> bool:
            there = {use.inputs.get(one.input) is not None for use in self.uses}
            return hoped if len(there) > 1 else there.pop()

        if not keys.asks_given:
            return keys.when  # type: ignore[no-any-return]
        found = answered(keys.when.expr, answer)
        if isinstance(found, BooleanLiteral):
            return None if found.value else False
        return Formula(found, unparse(found))

    def _asks(self, layer: str) -> bool:
        """Whether the code asks for inputs to know whether a layer runs."""
        found = self.condition(layer)
        return isinstance(found, Formula) and any(asked_inputs(found.expr))

    def _decided(self, layer: str, runs: set[bool]) -> bool | None:
        keys = self.scope.nodes[layer].layer
        repeat = keys.repeat if runs == {False} else None
        if repeat is not None and (repeat.share or len(self.layers[layer].outputs) > 1):
            return (
                False  # no copy whose weights they share, or that gives further outputs
            )
        parted = bool(self.key[-1]) and keys.when is not None
        decided = parted or self._is_of_fixed(keys.when)
        decided |= keys.asks_given and isinstance(self.condition(layer), bool)
        return runs.pop() if decided and len(runs) == 1 else None

    def _is_of_fixed(self, condition: Formula | bool | None) -> bool:
        """Whether a condition asks for params that are fixed, and for nothing else."""
        if not isinstance(condition, Formula):
            return False
        names = set(names_in(condition.expr))
        return bool(names) and names <= self.fixed.keys()

    def ports(self) -> list[str]:
        """The inputs of `forward`: those that are always there before the optional ones.

        An optional input that no use has is left out.
        """
        present = [
            p
            for p in self.scope.inputs
            if any(use.inputs.get(p) for use in self.together())
        ]
        return sorted(present, key=self.is_optional)

    def is_optional(self, port: str) -> bool:
        """Whether an input may be None when the code runs."""
        pattern = self.scope.inputs.get(port)
        if pattern is not None:
            return pattern.optional
        found = any(use.inputs.get(port) is None for use in self.together())
        return found or absent_source(self.scope, Ref(port, "", ())) is not None

    def may_be_none(self, ref: Ref) -> bool:
        """Whether a value may be None when the code runs: an optional input, or of a layer that has no value if off."""
        node = self.scope.nodes.get(ref.node)
        if node is None:
            return ref.node in self.scope.inputs and self.is_optional(ref.node)
        if may_lack(node, ref.port):
            return True
        return node.may_be_absent and self.decides(ref.node) is None

    def given(self) -> dict[str, TensorType | None]:
        """The types of the outputs, of those that no use has as they would be; None for one that is never there."""
        found = {**self.first.outputs, **self.outputs}
        refs = self.scope.outputs.items()
        return {name: found.get(name) or self._if_on(ref) for name, ref in refs}

    def _if_on(self, ref: Ref) -> TensorType | None:
        """The type of a value whose layer is off in all uses, as it would be."""
        typed = self.layers.get(ref.node)
        if typed is None or not typed.calls or self.decides(ref.node) is False:
            return None
        return typed.outputs.get(ref.port or next(iter(typed.outputs), ""))

    def together(self) -> Iterator[Instance]:
        """Its uses, and those of the classes that are called in the same place."""
        for plan in self.alike or [self]:
            yield from plan.uses


def refs_of(typed: TypedNode) -> Iterator[tuple[str, Ref]]:
    """Every value that a layer takes, with its port."""
    for port, ref in typed.inputs.items():
        for item in ref if isinstance(ref, tuple) else (ref,):
            yield port, item
    for port, carry in typed.node.carry.items():
        if carry.ref is not None:
            yield port, carry.ref
    if typed.node.otherwise is not None and not typed.node.may_be_absent:
        yield "else", typed.node.otherwise


def first_ref(typed: TypedNode) -> Ref | None:
    """The first value that a layer takes; None if it takes none."""
    first = next(iter(typed.inputs.values()), None)
    return first[0] if isinstance(first, tuple) else first


def _tells_more(node: TypedNode, known: TypedNode) -> bool:
    """Whether another use runs a layer that this one does not, or tells more of it.

    It does so by more inputs, or by copies that differ where they are alike here.
    """

    def told(typed: TypedNode) -> tuple[bool, int, int, int]:
        inputs = typed.calls[0].inputs.values() if typed.calls else ()
        given = sum(kind is not None for kind in inputs)
        return bool(typed.calls), given, len(typed.calls), len(typed.outputs)

    return told(node) > told(known)


@dataclass
class Plans:
    """The classes of a file, by key and in order: those used before those that use."""

    parts: Parts
    links: Links
    by_key: dict[Key, ClassPlan] = field(default_factory=dict)
    order: list[ClassPlan] = field(default_factory=list)
    speculative: set[int] = field(default_factory=set)
    """The instances, by identity, that only other values of the params would use."""

    def key(self, instance: Instance) -> Key:
        """Which class an instance belongs to."""
        one = self.links.root(instance)
        part = self.parts.get(id(one), ())
        return id(one.scope), (*_targets(one), *chosen(one)), _ranks(one), part

    def of(self, instance: Instance) -> ClassPlan:
        """The class of an instance."""
        return self.by_key[self.key(instance)]


class Links:
    """Which instances are one object when the network runs, so that they have one class.

    A layer that is shared runs the module of another; a network without its optional inputs is the same network.
    """

    def __init__(self, typed: TypedGraph) -> None:
        self._roots: dict[int, Instance] = {}
        for name in typed.bare:
            whole, *others = typed.each_way(name)
            for one in others:
                self._link(whole, one)
        for instance in walk_instances(typed.roots):
            for node in instance.nodes.values():
                self._share(instance, node)

    def root(self, instance: Instance) -> Instance:
        """The instance that stands for all that are the same object."""
        found = instance.inferred
        while (other := self._roots.get(id(found), found)) is not found:
            found = other
        return found

    def _share(self, instance: Instance, node: TypedNode) -> None:
        """Copies that share their weights are one object; a layer that is another again has its copies one by one."""
        repeat = node.node.layer.repeat
        if repeat is not None and repeat.share:
            runs = [call.instance for call in node.calls if call.instance is not None]
            for other in runs[1:]:
                self._link(runs[0], other)
        origin = instance.nodes.get(node.node.shared)
        if origin is not None:
            for one, other in _pairs(origin.calls, node.calls):
                self._link(one, other)

    def _link(self, one: Instance, other: Instance) -> None:
        first, second = self.root(one), self.root(other)
        if first is second or first.scope is not second.scope:
            return
        self._roots[id(second)] = first
        for name, node in one.nodes.items():
            if name in other.nodes:
                for a, b in _pairs(node.calls, other.nodes[name].calls):
                    self._link(a, b)


def _pairs(
    ones: Iterable[LayerCall], others: Iterable[LayerCall]
) -> Iterator[tuple[Instance, Instance]]:
    """The instances of copies of one number; of those that follow one another in equal pairs the first."""
    ends = [
        [(call.counter + call.count, call.instance) for call in calls]
        for calls in (ones, others)
    ]
    first, second = (list(reversed(one)) for one in ends)
    while first and second:
        (end, a), (other_end, b) = first[-1], second[-1]
        if a is not None and b is not None:
            yield a, b
        if end <= other_end:
            first.pop()
        if other_end <= end:
            second.pop()


def plan_classes(
    typed: TypedGraph, links: Links, parts: Parts, dropped: Collection[int] = ()
) -> Plans:
    """The classes that networks need, where some scopes need several."""
    plans = Plans(parts, links)
    seen: set[int] = set()
    for instance in typed.roots:
        _visit(instance, plans, seen)
    for plan in list(plans.order):
        _show_speculative(plan, plans, seen, dropped)
    plans.order = list(_after_those_used(plans))
    for plan in plans.order:
        for layer in plan.layers:
            _stand_together(plan, layer, plans)
    return plans


def _after_those_used(plans: Plans) -> Iterator[ClassPlan]:
    """The classes, each after those that it uses, in any of its uses; otherwise in the order in which they are."""
    done: set[int] = set()
    for plan in plans.order:
        yield from _used_first(plan, plans, done)


def _used_first(plan: ClassPlan, plans: Plans, done: set[int]) -> Iterator[ClassPlan]:
    """The classes that a class uses, in any of its uses, and then the class, but for those that are done."""
    if id(plan) in done:
        return
    done.add(id(plan))
    for layer in plan.layers:
        for run in plan.runs(layer):
            if run.call.instance is not None:
                yield from _used_first(plans.of(run.call.instance), plans, done)
    yield plan


def _show_speculative(
    plan: ClassPlan, plans: Plans, seen: set[int], dropped: Collection[int]
) -> None:
    """Take layers that no use runs as they would run, and the classes that they need."""
    rest = plans.order[plans.order.index(plan) :]
    del plans.order[-len(rest) :]
    for name, node in plan.layers.items():
        if node.calls or not all(
            call.instance is None or is_whole(call.instance, dropped)
            for call in node.speculative
        ):
            continue
        plan.layers[name] = node.shown
        for call in node.speculative:
            if call.instance is not None:
                known = set(seen)
                _visit(call.instance, plans, seen)
                plans.speculative |= seen - known
    plans.order += rest


def _stand_together(plan: ClassPlan, layer: str, plans: Plans) -> None:
    """The classes of one layer's runs are called in one place."""
    by_ports: dict[Key, dict[Key, ClassPlan]] = {}
    for run in plan.runs(layer):
        if run.call.instance is not None:
            one = plans.of(run.call.instance)
            by_ports.setdefault(tuple(one.scope.inputs), {})[one.key] = one
    for found in by_ports.values():
        if len(found) < 2:
            continue
        together = {
            id(one): one for kind in found.values() for one in (kind, *kind.alike)
        }
        for one in together.values():
            one.alike = list(together.values())


def _targets(instance: Instance) -> Key:
    params = instance.scope.environment.params
    return tuple(
        hashable(instance.params[name])
        for name, param in params.items()
        if param.type == "op"
    )


def chosen(instance: Instance) -> Iterator[int]:
    """Which of the things each layer is that may be several; the first of those that are called alike."""
    for name in instance.scope.choices:
        one, each = instance.nodes.get(name), instance.scope.nodes[name].each
        if one is None:
            yield -1
        else:
            yield next(n for n, node in enumerate(each) if alike(node, one.node))


def alike(one: Node, other: Node) -> bool:
    """Whether a layer is called in one way, be it this or that: blocks that take the same and give the same."""
    if one is other:
        return True
    return _called(one) is not None and _called(one) == _called(other)


def _called(node: Node) -> Key | None:
    """What a block is called with, which of that may be absent, and the names of what it gives."""
    block = node.target
    if not isinstance(block, Scope) or block.kind != "block":
        return None
    if node.carry or None in block.inputs.values():
        return None
    refs = tuple(str(node.inputs.get(port, "")) for port in block.inputs)
    kinds = block.inputs.items()
    optional = tuple(name for name, kind in kinds if kind and kind.optional)
    names = (
        tuple(block.inputs) if optional else ()
    )  # by which classes agree on what they take
    return refs, optional, names, tuple(block.outputs)


def _ranks(instance: Instance) -> Key:
    pairs = zip(instance.inputs.values(), instance.scope.inputs.values(), strict=True)
    return tuple(
        kind.rank if kind and pattern and pattern.ellipsis is not None else 0
        for kind, pattern in pairs
    )


def _visit(instance: Instance, plans: Plans, seen: set[int]) -> None:
    instance = instance.inferred  # no text depends on values in which others differ
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
        plan.wanted = _wanted(plan, of_block[plan.scope])
        plan.name = _free(plan.wanted, used)
        used.add(plan.name)


def _wanted(plan: ClassPlan, siblings: list[ClassPlan]) -> str:
    true = [name for name in plan.scope.environment.params if _always(plan, name, True)]
    telling = [
        name for name in true if any(_always(other, name, False) for other in siblings)
    ]
    prefix = cap_words(telling[0]) if len(telling) == 1 else ""
    name = f"{prefix}{plan.scope.name}"
    return f"{name}_" if name in _RESERVED else name


def _always(plan: ClassPlan, name: str, value: bool) -> bool:
    return all(use.params.get(name) is value for use in plan.uses)


_RESERVED = frozenset({"None", "True", "False"})
"""What a class in CapWords cannot be called."""


def _free(name: str, used: set[str]) -> str:
    number, free = 2, name
    while free in used:
        free, number = f"{name}{number}", number + 1
    return free
