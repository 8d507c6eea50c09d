"""How many copies of each block a network holds in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from graphlib import TopologicalSorter

from compiler.ir.typed import Instance, walk_instances


def copies(networks: Iterable[Instance]) -> dict[Instance, int]:
    """Every instance with the number of its copies, over all places that it is used in."""
    roots = list(networks)
    used = {instance: _used(instance) for instance in walk_instances(roots)}
    users: dict[Instance, list[Instance]] = {instance: [] for instance in used}
    for instance, inner in used.items():
        for other in inner:
            users[other].append(instance)
    counts: Counter[Instance] = Counter(roots)
    for instance in TopologicalSorter(users).static_order():
        counts[instance] += sum(
            counts[user] * used[user][instance] for user in users[instance]
        )
    return {instance: counts[instance] for instance in used}


def _used(instance: Instance) -> Counter[Instance]:
    """The instances that one uses itself, and how often."""
    found: Counter[Instance] = Counter()
    for node in instance.nodes.values():
        for call in node.calls:
            if call.instance is not None:
                found[call.instance] += call.count
    return found
