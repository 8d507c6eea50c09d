"""Whether a network that is stepped is causal: its outputs at a position depend on that one and earlier ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from compiler.causality.prove import prove, streams
from compiler.diagnostics.diagnostic import Diagnostic, Report
from compiler.diagnostics.text import listed
from compiler.ir.causal import Causality, LeakStep, ScopeFlow
from compiler.ir.typed import TypedGraph
from compiler.language.params import Stepping

STATISTICS = "norms with statistics"
"""The group of rules of layers that take statistics over several elements."""
_MOST = 6
"""Layers that a message names on the way of a later position to an output."""


def check_step(typed: TypedGraph) -> tuple[Diagnostic, ...]:
    """What is wrong with `step:`, where a spec has it."""
    report = Report()
    step: Stepping | None = typed.graph.spec.step
    if step is not None and not typed.failed:
        networks = [
            name
            for name, instance in typed.networks.items()
            if streams(instance, step.dimension)
        ]
        if networks and not _unknown_inputs(typed, step, report):
            for name in networks:
                _check(typed, name, step, None, report)
        elif not networks:
            _no_dimension(typed, step, report)
    return report.diagnostics


def check_causal(
    typed: TypedGraph, network: str, step: Stepping, outputs: Collection[str]
) -> tuple[Diagnostic, ...]:
    """Why some outputs of a network depend on later positions."""
    report = Report()
    _check(typed, network, step, outputs, report)
    return report.diagnostics


def marked(typed: TypedGraph, found: Iterable[Causality]) -> TypedGraph:
    """The graph with a diagnostic at each layer that later positions pass through, for a picture of their way."""
    marks = dict.fromkeys(
        Diagnostic(
            "not-causal",
            step.reason or "later positions pass through",
            step.input or step.span,
            path=step.path,
        )
        for one in found
        for _, steps in one.leaks
        for n, step in enumerate(steps)
        if n == 0 or not step.reason  # a block that they enter inside is marked there
    )
    return replace(typed, diagnostics=(*typed.diagnostics, *marks))


def _check(
    typed: TypedGraph,
    network: str,
    step: Stepping,
    outputs: Collection[str] | None,
    report: Report,
) -> None:
    found = prove(typed, step.dimension, step.inputs, network)
    for name, steps in found.leaks:
        if outputs is None or name in outputs:
            report.add(_diagnostic(name, found.inputs, steps))
    if outputs is None and found.causal:
        _warn_of_statistics(found.scope, report, set())


def _warn_of_statistics(scope: ScopeFlow, report: Report, seen: set[int]) -> None:
    """Report layers that are causal in evaluation alone: in training, pieces have other statistics than the whole."""
    if id(scope) in seen:
        return
    seen.add(id(scope))
    for node in scope.nodes.values():
        for call in node.calls:
            op = call.call.op
            carries = any(one.carries for one in call.outputs.values())
            if op is not None and op.flow.group == STATISTICS and carries:
                name = node.node.node.name
                message = f"in training, {name} takes its statistics over all positions that it is given"
                help = "pieces give what the whole gives in evaluation; layer_norm does so in training, too"
                span = node.node.node.place.span()
                report.warning("batch-statistics", span, message, help=help)
                break
            if call.inside is not None:
                _warn_of_statistics(call.inside, report, seen)


def _diagnostic(
    output: str, inputs: Collection[str], steps: tuple[LeakStep, ...]
) -> Diagnostic:
    """The error at the layer where later positions enter."""
    first, *_ = steps
    way = [one.path.partition(".")[2] or one.layer for one in steps]
    shown = way if len(way) <= _MOST else [*way[:3], "…", *way[-2:]]
    return Diagnostic(
        "not-causal",
        f"{output} depends on later positions of {listed(inputs)}: {' → '.join([*shown, output])}",
        first.span,
        label=first.reason,
        path=first.path,
        help=first.help,
    )


def _unknown_inputs(typed: TypedGraph, step: Stepping, report: Report) -> bool:
    """Report inputs that no network has with the dimension."""
    known = {
        name
        for instance in typed.networks.values()
        for name in streams(instance, step.dimension)
    }
    unknown = [name for name in step.inputs or () if name not in known]
    for name in unknown:
        place = ("step", step.dimension, (step.inputs or ()).index(name))
        message = f"there is no input {name} with the dimension {step.dimension}"
        help = report.like(name, known) or f"those are {listed(sorted(known))}"
        span = typed.graph.document.locate(place)
        report.error("unknown-name", span, message, help=help, missing=name)
    return bool(unknown)


def _no_dimension(typed: TypedGraph, step: Stepping, report: Report) -> None:
    span = typed.graph.document.locate(("step",))
    known = {
        str(symbol)
        for instance in typed.networks.values()
        for kind in instance.inputs.values()
        for size in (kind.shape if kind else ())
        for symbol in instance.context.value(size).symbols
    }
    message = f"no input has a dimension {step.dimension}"
    help = report.like(step.dimension, known) or f"there are {listed(sorted(known))}"
    report.error("unknown-name", span, message, help=help)
