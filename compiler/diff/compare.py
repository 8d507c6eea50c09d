"""The differences between two architectures: by the names of their parts, not by lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from compiler.cost.measure import measure
from compiler.cost.summary import ScopeSummary, Summary
from compiler.dataclass import dataclass
from compiler.diff.layer_facts import Facts, layer_facts, target_name
from compiler.infer.param_values import shown
from compiler.ir.graph import Scope
from compiler.ir.typed import Instance, TypedGraph, walk_instances
from compiler.language.params import Stepping
from compiler.symbolic.dims import TOO_LONG, Dim

ChangeKind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Change:
    """An added, removed or changed layer, param, dim, port, block or network."""

    kind: ChangeKind
    scope: str
    """The scope or section of the spec that it is in."""
    name: str
    details: tuple[str, ...] = ()
    """What was added or removed, or for each changed property `key: before -> after`."""


@dataclass(frozen=True, slots=True)
class SizeChange:
    """A size of a network before and after; "" where there is no such network."""

    network: str
    quantity: str
    """`parameters`, `FLOPs` or `activations`."""
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changes:
    """All differences, in the order of the specs."""

    changes: tuple[Change, ...]
    sizes: tuple[SizeChange, ...]


def compare(before: TypedGraph, after: TypedGraph) -> Changes:
    """The changes that lead from the first graph to the second."""
    old, new = measure(before), measure(after)
    changes = [
        *_facts("params", _params(before), _params(after)),
        *_facts("dims", _dims(old), _dims(new)),
        *_facts("step", _step(before), _step(after)),
        *_present("networks", before.graph.networks, after.graph.networks),
        *_ports(old, new),
        *_present("blocks", before.graph.blocks, after.graph.blocks),
    ]
    titles = {**_titles(before), **_titles(after)}
    first, second = _Side(before, old, titles), _Side(after, new, titles)
    for name in _both(first.scopes, second.scopes):
        changes += _layers(name, first.layers(name), second.layers(name))
    return Changes(tuple(changes), tuple(_sizes(old, new)))


class _Side:
    """One of the two graphs, with its scopes by name; a group's name is its path: `Net.features`.

    A network is called in both as it is in the second, where its file may have another name for it.
    """

    def __init__(
        self, typed: TypedGraph, summary: Summary, titles: Mapping[str, str]
    ) -> None:
        self.summary = summary
        self.instances: dict[Scope, Instance] = {}
        for instance in walk_instances(typed.networks.values()):
            self.instances.setdefault(instance.scope, instance)
        graph = typed.graph
        outer = {titles[name]: scope for name, scope in graph.networks.items()}
        self.scopes = dict(_with_groups({**outer, **graph.blocks}))

    def layers(self, name: str) -> dict[str, Facts]:
        """The layers of a scope, each with its properties as text."""
        scope = self.scopes[name]
        instance = self.instances.get(scope)
        facts = {n: layer_facts(node, instance) for n, node in scope.nodes.items()}
        for section in self.summary.networks.values():
            if scope.kind == "network" and section.name == scope.name:
                for row in section.layers:
                    size = f"{row.size.parameters:,}"
                    facts[row.name] = {**facts[row.name], "parameters": size}
        return facts


def _titles(typed: TypedGraph) -> dict[str, str]:
    """The name of each network's class."""
    return {name: scope.name for name, scope in typed.graph.networks.items()}


def _with_groups(scopes: Mapping[str, Scope]) -> Iterator[tuple[str, Scope]]:
    for name, scope in scopes.items():
        yield name, scope
        groups = {
            f"{name}.{node.name}": node.target
            for node in scope.each_node()
            if isinstance(node.target, Scope) and target_name(node) == "group"
        }
        yield from _with_groups(groups)


def _layers(
    scope: str, before: Mapping[str, Facts], after: Mapping[str, Facts]
) -> Iterator[Change]:
    for name in {**before, **after}:
        if name not in after:
            yield Change("removed", scope, name, (before[name]["op"],))
        elif name not in before:
            yield Change("added", scope, name, (after[name]["op"],))
        elif before[name] != after[name]:
            details = tuple(_details(before[name], after[name]))
            yield Change("changed", scope, name, details)


def _details(before: Facts, after: Facts) -> Iterator[str]:
    for key in {**before, **after}:
        old, new = before.get(key, ""), after.get(key, "")
        if old != new:
            yield f"{key}: {old or 'none'} -> {new or 'none'}"


def _facts(section: str, before: Facts, after: Facts) -> Iterator[Change]:
    """The changes of a section whose entries have one value each."""
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            kind: ChangeKind = "added" if old is None else "removed"
            yield Change(kind, section, name, (str(new if old is None else old),))
        elif old != new:
            yield Change("changed", section, name, (f"{old} -> {new}",))


def _present(
    section: str, before: Mapping[str, Scope], after: Mapping[str, Scope]
) -> Iterator[Change]:
    for name in {**before, **after}:
        if name not in after:
            yield Change("removed", section, name)
        elif name not in before:
            yield Change("added", section, name)


def _ports(old: Summary, new: Summary) -> Iterator[Change]:
    """The changed inputs and outputs of networks, with their types by value."""
    for name in _both(old.networks, new.networks):
        before, after = old.networks[name], new.networks[name]
        for name, old_types, new_types in (
            ("inputs", before.inputs, after.inputs),
            ("outputs", before.outputs, after.outputs),
        ):
            types = [
                {one.port: str(one.values) for one in ports}
                for ports in (old_types, new_types)
            ]
            yield from _facts(f"{name} of {after.name}", *types)


def _params(typed: TypedGraph) -> Facts:
    return {name: shown(value) for name, value in typed.params.items()}


def _step(typed: TypedGraph) -> Facts:
    step: Stepping | None = typed.graph.spec.step
    if step is None:
        return {}
    inputs = "all inputs" if step.inputs is None else ", ".join(step.inputs)
    return {step.dimension: inputs}


def _dims(summary: Summary) -> Facts:
    return {
        name: f"from {one.min} to {one.max or 'any'} by {one.multiple_of}"
        for name, one in summary.symbols.items()
    }


def _sizes(old: Summary, new: Summary) -> Iterator[SizeChange]:
    for name in {**old.networks, **new.networks}:
        before, after = (_measured(one.networks.get(name)) for one in (old, new))
        for quantity in ("parameters", "FLOPs", "activations"):
            old_size, new_size = before.get(quantity, ""), after.get(quantity, "")
            yield SizeChange(name, quantity, old_size, new_size)


def _measured(section: ScopeSummary | None) -> Facts:
    if section is None:
        return {}
    size = section.size
    parameters = f"{size.parameters:,}"
    flops, activations = _formula(size.flops), _formula(size.activations)
    return {"parameters": parameters, "FLOPs": flops, "activations": activations}


def _formula(size: Dim | None) -> str:
    return TOO_LONG if size is None else str(size)


def _both(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return [name for name in before if name in after]
