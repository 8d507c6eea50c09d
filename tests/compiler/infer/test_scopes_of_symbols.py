"""Every size of a scope is in symbols of that scope; the values behind them are in those of the networks."""

from pathlib import Path

import pytest

from compiler.ir.typed import Instance, TypedGraph, walk_instances
from compiler.pipeline import Request, compile_to
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import NETWORKS, Owner
from tests.fuzz.specs import spec_of, text_of

SPECS = [
    *sorted(Path("specs").glob("*.yaml"))[::6],
    *sorted(Path("tests/features").glob("*.yaml")),
]


def owners(instance: Instance) -> set[Owner]:
    """The scope of an instance, and the groups around it up to there, which have counters."""
    found, scope = {instance.names.owner}, instance.scope
    while scope.kind == "group" and scope.parent is not None:
        found.add(scope.owner)
        scope = scope.parent
    return found


def check(typed: TypedGraph) -> None:
    for instance in walk_instances(typed.roots):
        own = owners(instance)
        for size in sizes(instance):
            assert {symbol.owner for symbol in size.symbols} <= own, size
        for value in instance.context.hints.values():
            assert {symbol.owner for symbol in value.symbols} <= {NETWORKS}, value


def sizes(instance: Instance) -> list[Dim]:
    found: list[Dim] = []
    for node in instance.nodes.values():
        calls = (*node.calls, *node.speculative)
        kinds = [
            *node.outputs.values(),
            *(k for call in calls for k in call.outputs.values()),
        ]
        found += [size for kind in kinds for size in kind.shape]
        found += [size for call in calls for size in call.binding.values()]
    return found


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_sizes_are_in_the_symbols_of_their_scope(spec: Path) -> None:
    check(compile_to(TypedGraph, Request(spec)))


def test_of_random_graphs_too(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    for seed in range(100):
        spec.write_text(text_of(spec_of(seed)), encoding="utf-8")
        check(compile_to(TypedGraph, Request(spec)))
