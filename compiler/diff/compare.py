"""What differs between two architectures: by names, not by lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from compiler.cost.measure import measure
from compiler.cost.summary import Section, Summary
from compiler.diff.layer_facts import Facts, layer_facts, target_name
from compiler.infer.param_values import shown
from compiler.ir.graph import Scope
from compiler.ir.typed import Instance, TypedGraph, walk_instances

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Change:
    """A thing that is new, gone or another. `place` is the scope that it stands in."""

    kind: Kind
    place: str
    name: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Total:
    """How large a network was and is; empty where there was or is none."""

    network: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changes:
    """All that differs, in the order of the specs."""

    changes: tuple[Change, ...]
    totals: tuple[Total, ...]


PARAMS, DIMS, BLOCKS, NETWORKS = "params", "dims", "blocks", "networks"


def compare(before: TypedGraph, after: TypedGraph) -> Changes:
    """The differences of the second graph from the first."""
    old, new = measure(before), measure(after)
    found = [
        *_facts(PARAMS, _params(before), _params(after)),
        *_facts(DIMS, _dims(old), _dims(new)),
        *_present(NETWORKS, before.graph.networks, after.graph.networks),
        *_ports(old, new),
        *_present(BLOCKS, before.graph.blocks, after.graph.blocks),
    ]
    first, second = _Side(before, old), _Side(after, new)
    for name in _both(first.scopes, second.scopes):
        found += _layers(name, first.layers(name), second.layers(name))
    return Changes(tuple(found), tuple(_totals(old, new)))


class _Side:
    """One of the two graphs: its scopes by name, groups by their path in them."""

    def __init__(self, typed: TypedGraph, summary: Summary) -> None:
        self.summary = summary
        self.instances: dict[Scope, Instance] = {}
        for instance in walk_instances(typed.networks.values()):
            self.instances.setdefault(instance.scope, instance)
        graph = typed.graph
        outer = {scope.name: scope for scope in graph.networks.values()}
        self.scopes = dict(_with_groups({**outer, **graph.blocks}))

    def layers(self, name: str) -> dict[str, Facts]:
        """The layers of a scope, with what is said of each."""
        scope = self.scopes[name]
        instance = self.instances.get(scope)
        facts = {n: layer_facts(node, instance) for n, node in scope.nodes.items()}
        for section in self.summary.networks.values():
            if scope.kind == "network" and section.name == scope.name:
                for row in section.rows:
                    size = f"{row.size.parameters:,}"
                    facts[row.name] = {**facts[row.name], "parameters": size}
        return facts


def _with_groups(scopes: Mapping[str, Scope]) -> Iterator[tuple[str, Scope]]:
    for name, scope in scopes.items():
        yield name, scope
        groups = {
            f"{name}.{node.name}": node.target
            for node in scope.nodes.values()
            if isinstance(node.target, Scope) and target_name(node) == "group"
        }
        yield from _with_groups(groups)


def _layers(
    place: str, before: Mapping[str, Facts], after: Mapping[str, Facts]
) -> Iterator[Change]:
    for name in {**before, **after}:
        if name not in after:
            yield Change("removed", place, name, (before[name]["op"],))
        elif name not in before:
            yield Change("added", place, name, (after[name]["op"],))
        elif before[name] != after[name]:
            details = tuple(_details(before[name], after[name]))
            yield Change("changed", place, name, details)


def _details(before: Facts, after: Facts) -> Iterator[str]:
    for key in {**before, **after}:
        old, new = before.get(key, ""), after.get(key, "")
        if old != new:
            yield f"{key}: {old or 'none'} -> {new or 'none'}"


def _facts(place: str, before: Facts, after: Facts) -> Iterator[Change]:
    """Names with one fact each."""
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            kind: Kind = "added" if old is None else "removed"
            yield Change(kind, place, name, (str(new if old is None else old),))
        elif old != new:
            yield Change("changed", place, name, (f"{old} -> {new}",))


def _present(
    place: str, before: Mapping[str, Scope], after: Mapping[str, Scope]
) -> Iterator[Change]:
    for name in {**before, **after}:
        if name not in after:
            yield Change("removed", place, name)
        elif name not in before:
            yield Change("added", place, name)


def _ports(old: Summary, new: Summary) -> Iterator[Change]:
    """The types of the inputs and outputs of networks, in values."""
    for name in _both(old.networks, new.networks):
        before, after = old.networks[name], new.networks[name]
        for what in ("inputs", "outputs"):
            types = [
                {one.port: str(one.values) for one in getattr(section, what)}
                for section in (before, after)
            ]
            yield from _facts(f"{what} of {after.name}", *types)


def _params(typed: TypedGraph) -> Facts:
    return {name: shown(value) for name, value in typed.params.items()}


def _dims(summary: Summary) -> Facts:
    return {
        name: f"from {one.min} to {one.max or 'any'} by {one.multiple_of}"
        for name, one in summary.symbols.items()
    }


def _totals(old: Summary, new: Summary) -> Iterator[Total]:
    for name in {**old.networks, **new.networks}:
        before, after = (_sizes(one.networks.get(name)) for one in (old, new))
        for what in ("parameters", "FLOPs", "activations"):
            yield Total(name, what, before.get(what, ""), after.get(what, ""))


def _sizes(section: Section | None) -> Facts:
    if section is None:
        return {}
    size = section.size
    parameters = f"{size.parameters:,}"
    flops, activations = str(size.flops), str(size.activations)
    return {"parameters": parameters, "FLOPs": flops, "activations": activations}


def _both(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return [name for name in before if name in after]
