"""The causality of a network as text: every summary of a scope once, with what each value depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from compiler.ir.causal import CallFlow, Causality, NodeFlow, PortAxis, ScopeFlow
from compiler.ir.columns import as_text, section
from compiler.op.dependence import (
    SIZE,
    Along,
    AxisFlow,
    Dependence,
    Distance,
    Fill,
    Guard,
    MergedAxis,
    Positions,
    Reach,
    Source,
)


def print_causality(found: Causality) -> str:
    """The network under #1, and each summary that it uses, in terms of its own inputs.

    An axis that carries T is written by its rate and what element u reads: `T x [-2, 0]`, `2 T x [0, 0]`; without an
    input, `T` alone; one that does not, `.`.
    """
    scopes = _scopes(found.scope)
    lines = [f"causality {found.scope.instance.scope.name} along {found.length}"]
    for scope, number in scopes.items():
        lines += ("", *_scope(scope, number, scopes))
    return as_text(lines)


def _scopes(root: ScopeFlow) -> dict[ScopeFlow, int]:
    """The summaries, each once, those that use others before those used."""
    found: dict[ScopeFlow, int] = {}
    pending = [root]
    for one in pending:
        if one in found:
            continue
        found[one] = len(found) + 1
        calls = (call for node in one.nodes.values() for call in node.calls)
        pending += [call.inside for call in calls if call.inside is not None]
    return found


def _scope(
    scope: ScopeFlow, number: int, scopes: Mapping[ScopeFlow, int]
) -> Iterator[str]:
    kind = scope.instance.scope
    yield f"#{number} {kind.kind} {kind.name}"
    given = ((name, _text(flow)) for name, flow in scope.inputs.items())
    yield from section("inputs", given)
    rows = (row for node in scope.nodes.values() for row in _node(node, scopes))
    yield from section("layers", rows)
    outputs = ((name, _text(flow)) for name, flow in scope.outputs.items())
    yield from section("outputs", outputs)


def _node(node: NodeFlow, scopes: Mapping[ScopeFlow, int]) -> Iterator[tuple[str, ...]]:
    runs = ", ".join(_call(call, scopes) for call in node.calls) or "off"
    for n, (port, flow) in enumerate(node.outputs.items()):
        name = node.node.node.name
        shown = name if len(node.outputs) == 1 else f"{name}.{port}"
        yield (shown, _text(flow), runs if n == 0 else "")


def _call(call: CallFlow, scopes: Mapping[ScopeFlow, int]) -> str:
    op = call.call.op
    name = op.name if op is not None else ""
    if call.inside is not None:
        name = f"#{scopes[call.inside]}"
    times = f" x {call.call.count}" if call.call.count > 1 else ""
    kept = "" if call.memory is None else f" keeps {call.memory.kind}"
    return f"{name}{times}{kept}"


def _text(flow: Dependence | None) -> str:
    if flow is None:
        return "absent"
    parts = [f"[{', '.join(map(_axis, flow.axes))}]"]
    whole = sorted({reason for reason in flow.whole.values() if reason})
    parts += [f"all: {reason}" for reason in whole]
    parts += ["the first"] if flow.start else []
    known = _known(flow)
    return "; ".join([*parts, known] if known else parts)


def _axis(axis: AxisFlow) -> str:
    if isinstance(axis, MergedAxis):
        return f"({', '.join(map(_axis, axis.factors))})"
    return "." if axis is None else _along(axis)


def _along(axis: Along) -> str:
    rate = "T" if axis.rate == 1 else f"{axis.rate} T"
    reads = [f"{_source(s)} {reach}" for s, reach in axis.needs.items() if s != SIZE]
    end = f" up to {axis.end} before the end" if axis.end != 0 else ""
    return f"{rate}{end}{': ' if reads else ''}{', '.join(reads)}"


def _source(source: Source) -> str:
    return source.port if isinstance(source, PortAxis) else str(source)


def _known(flow: Dependence) -> str:
    known = flow.known
    if isinstance(known, Guard):
        where = f"axis {known.column} - axis {known.row} outside {Reach(known.lo, known.hi)}"
        return f"{known.outside:g} where {where}"
    if isinstance(known, Positions):
        return f"position {known.shift:+}" if known.shift else "position"
    if isinstance(known, Distance):
        return f"axis {known.plus} - axis {known.minus}"
    return f"{known.value:g}" if isinstance(known, Fill) else ""
