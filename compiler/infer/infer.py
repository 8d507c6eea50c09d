"""Graph -> TypedGraph: the type of every value, for every size that the network admits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from compiler.diagnostics.diagnostic import Diagnostic, Report
from compiler.diagnostics.limits import Limits
from compiler.elaborate.unused import reached
from compiler.infer.check_inits import check_inits
from compiler.infer.engine import Earlier, Engine
from compiler.infer.error_sink import ErrorSink
from compiler.infer.expectations import check_expectations
from compiler.infer.infer_scope import infer_network
from compiler.infer.root_params import root_params
from compiler.infer.roots import read_domain
from compiler.infer.sets_of_inputs import asks_given, check_ways, sets_of_absent
from compiler.infer.ties import check_ties
from compiler.ir.graph import Graph, Scope
from compiler.ir.typed import Instance, TypedGraph
from compiler.op.library_sources import class_names
from compiler.symbolic.evaluate import Value

_DEFAULT = Limits()


def infer(
    graph: Graph,
    variant: str = "",
    settings: Mapping[str, Any] | None = None,
    limits: Limits = _DEFAULT,
    *,
    trial: bool = False,
    earlier: Earlier | None = None,
) -> TypedGraph:
    """Infer all types. Mistakes do not stop it: they are in the result, with everything that could be inferred.

    Args:
        variant: the name of a set of params in the spec; "" for none.
        settings: values for params that override all others.
        limits: how far blocks may expand.
        trial: whether only the types are asked for, of a graph that is right: nothing is worked out of what other
            values of the params would run, and the first layer that is wrong ends it.
        earlier: the blocks that trials of the same graph inferred before; those of this one are added.

    Raises:
        TrialFailed: by a trial, where a layer is wrong.
    """
    report = Report()
    for warning in graph.warnings:
        report.add(warning)
    params = root_params(graph, variant, settings or {}, report)
    if params is None:
        return TypedGraph(graph, {}, {}, report.diagnostics)
    domain = read_domain(graph, params, limits, report)
    engine = Engine(graph, domain, limits, report)
    engine.speculates = not trial
    engine.errors = ErrorSink(stops=trial)
    every = (one for known in graph.named.values() for one in known.values())
    engine.asks_given = asks_given(reached((*graph.networks.values(), *every)))
    given = frozenset({*graph.spec.variants.get(variant, {}), *(settings or {})})
    with nullcontext() if earlier is None else earlier.shared(engine):
        networks = {
            name: infer_network(engine, scope, params, given)
            for name, scope in graph.networks.items()
        }
        bare = {
            name: ways
            for name, scope in graph.networks.items()
            if (ways := tuple(_without_inputs(engine, scope, params, given)))
        }
    engine.errors.report(report)
    if domain.exhausted:
        message = "the sizes are too many, or too long, to compare them all"
        report.error("too-large", graph.document.locate(("name",)), message)
    adjusted = bool(variant or settings)
    typed = TypedGraph(graph, params, networks, adjusted=adjusted, bare=bare)
    if engine.asks_given and not report.failed:
        check_ways(typed, report)
    check_ties(typed, report)
    check_inits(typed, report)
    _check_class_names(typed, report)
    if not report.failed:
        check_expectations(typed, report)
    return replace(typed, diagnostics=_in_order(report))


def _without_inputs(
    engine: Engine, scope: Scope, params: Mapping[str, Value], given: frozenset[str]
) -> Iterator[Instance]:
    """A network without its optional inputs, and without some of them where layers ask for these."""
    for absent in sets_of_absent(scope, engine.asks_given, engine.report):
        yield infer_network(engine, scope, params, given, absent)


def _check_class_names(typed: TypedGraph, report: Report) -> None:
    """Report a network that is called as a class which its ops bring along.

    A block of such a name is renamed: nobody imports it. The network's name is asked for.
    """
    carried = class_names(_libraries(typed.instances))
    for name, instance in typed.networks.items():
        title = instance.scope.name
        if title in carried:
            path = ("networks", name) if name else ("name",)
            span = typed.graph.document.locate(path, key=bool(name))
            message = f"{title} is also a class that an op here brings along"
            report.error("duplicate-name", span, message)


def _libraries(instances: Iterable[Instance]) -> set[str]:
    return {
        call.op.library
        for instance in instances
        for node in instance.nodes.values()
        for call in node.calls
        if call.op is not None and call.op.library
    }


def _in_order(report: Report) -> tuple[Diagnostic, ...]:
    """Errors before warnings, both in the order of the file."""
    return tuple(sorted(report.diagnostics, key=_order))


def _order(one: Diagnostic) -> tuple[bool, str, int, int]:
    return one.severity != "error", one.span.file, one.span.line, one.span.column
