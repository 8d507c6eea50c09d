"""Whether experts take each token by itself: the proof."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.causality.analyze_scope import Analyzer
from compiler.causality.check_causal import STATISTICS
from compiler.causality.made_positions import each_input, makes_positions
from compiler.diagnostics.diagnostic import Diagnostic, Report
from compiler.ir.causal import CallFlow, ScopeFlow
from compiler.ir.typed import Routed, TypedGraph
from compiler.op.dependence import Along, Dependence, Reach


def check_experts(typed: TypedGraph) -> tuple[Diagnostic, ...]:
    """Why blocks are no experts: what they give for a token depends on which others are sent with it."""
    report = Report()
    for instance in typed.instances:
        for node in instance.nodes.values():
            reason = "" if node.routed is None else _mixes(node.routed)
            if reason:
                message = f"an expert takes each token by itself, and {reason}"
                help = "which tokens are sent to an expert together, and in which order, is the routing's choice"
                span = node.node.place.span("op")
                report.error("bad-expert", span, message, help=help)
    return report.diagnostics


def _mixes(routed: Routed) -> str:
    """Why the output for a token depends on others, or on its place among them; "" if it does not."""
    expert = routed.alone
    ((port, tokens),) = ((p, kind) for p, kind in expert.inputs.items() if kind)
    (number,) = expert.context.value(tokens.shape[0]).symbols
    alone = Dependence((Along(needs={port: Reach()}), None))
    given = {one: alone if one == port else None for one in expert.inputs}
    scope = Analyzer(number).scope(expert, given)
    return next(_reasons(scope, port), "")


def _reasons(scope: ScopeFlow, port: str) -> Iterator[str]:
    for node in scope.nodes.values():
        name = f"{scope.instance.scope.name}.{node.node.node.name}"
        if not all(_by_itself(flow, port) for flow in node.outputs.values()):
            yield f"{name} reads other tokens, or how many there are"
        for call in node.calls:
            yield from (f"{name} {reason}" for reason in _counts(call))


def _by_itself(flow: Dependence, port: str) -> bool:
    """Whether element n along the axis of the tokens needs token n alone."""
    found = flow.field
    return not flow.whole and not flow.start and found in ({}, {port: Reach()})


def _counts(call: CallFlow) -> Iterator[str]:
    """What layers do by the number or the company of a token."""
    op = call.call.op
    if op is not None and any(one.carries for one in each_input(call)):
        if makes_positions(call) or op.by_place:
            yield "counts the tokens"
        if op.flow.group == STATISTICS:
            yield "takes its statistics over all tokens that it is given"
    for node in call.inside.nodes.values() if call.inside is not None else ():
        for inner in node.calls:
            yield from _counts(inner)
