"""What each layer does along T, by itself: what it reads of its inputs, and what it has to keep between steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from compiler.causality.analyze_scope import Analyzer
from compiler.causality.compose_flows import hulled
from compiler.causality.find_pieces import Pieces, find_pieces, layer_run
from compiler.dataclass import dataclass
from compiler.ir.causal import CallFlow, Causality, NodeFlow, ScopeFlow
from compiler.ir.typed import Instance
from compiler.op.context import Context
from compiler.op.dependence import SIZE, Dependence, Reach, parts
from compiler.op.flow import Memory
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import NETWORKS, InputDim


@dataclass(frozen=True)
class LayerFlow:
    """A layer along T."""

    name: str
    op: str
    count: int
    carries: bool
    """Whether an output carries T; the work of one without is done once."""
    scanned: bool
    """Whether it is part of a step of a scan along T."""
    reach: Reach | None
    """What it reads of its own inputs; None where it reads nothing along T."""
    reason: str
    """Why it reads all of its inputs; empty where it does not."""
    rate: Fraction
    """The positions from one element of its output to the next."""
    memory: Memory | None
    context: Context
    inside: tuple[LayerFlow, ...] = ()


def layer_rows(found: Causality) -> tuple[LayerFlow, ...]:
    """The layers of a network, those of blocks inside them."""
    analyzer = Analyzer(InputDim(NETWORKS, found.length))
    pieces = find_pieces(found) if found.causal else Pieces()
    return tuple(_rows(analyzer, pieces, found.scope))


def _rows(
    analyzer: Analyzer, pieces: Pieces, scope: ScopeFlow, scanned: bool = False
) -> Iterator[LayerFlow]:
    for node in scope.nodes.values():
        copies = sum(call.call.count for call in node.calls)
        for call in node.calls:
            own = _own(analyzer, scope.instance, node, call)
            name = node.node.node.name
            if len(node.calls) > 1:
                name = f"{name}[{call.call.counter}]"
            inside: tuple[LayerFlow, ...] = ()
            if call.inside is not None:
                within = scanned or node.scanned
                inside = tuple(_rows(analyzer, pieces, call.inside, within))
            row = _row(scope.instance, node, call, own, name, inside)
            columns = _columns(pieces, scope.instance, node, call)
            if columns and row.memory is None:
                row = replace(row, memory=Memory("columns", columns, None))
            yield replace(row, scanned=scanned)
        if not copies:
            flow = next(iter(node.outputs.values()))
            context = scope.instance.context
            yield LayerFlow(
                node.node.node.name,
                "off",
                0,
                flow.carries,
                scanned,
                None,
                "",
                Fraction(1),
                None,
                context,
            )


def _columns(
    pieces: Pieces, instance: Instance, node: NodeFlow, call: CallFlow
) -> tuple[tuple[Dim, ...], ...]:
    """The shapes of one position of what an op keeps of all positions so far."""
    kept = pieces.columns.get(layer_run(instance, node.node.node.name, call.call), {})
    shapes = []
    for port, axis in kept.items():
        name, _, number = port.partition(" ")
        kind = call.call.inputs[name]
        kind = kind[int(number)] if isinstance(kind, tuple) else kind
        if kind is not None and axis is not None:
            shapes.append((*kind.shape[:axis], *kind.shape[axis + 1 :]))
    return tuple(shapes)


def _own(
    analyzer: Analyzer, instance: Instance, node: NodeFlow, call: CallFlow
) -> Dependence:
    """What the outputs depend on, said in the layer's own inputs."""
    if node.scanned:
        return hulled([_carrying(node)])
    outputs = analyzer.alone(instance, call)
    carrying = [one for one in outputs.values() if one.carries]
    return next(iter(carrying or outputs.values()))


def _carrying(node: NodeFlow) -> Dependence:
    found = [one for one in node.outputs.values() if one.carries]
    return next(iter(found or node.outputs.values()))


def _row(
    instance: Instance,
    node: NodeFlow,
    call: CallFlow,
    own: Dependence,
    name: str,
    inside: tuple[LayerFlow, ...],
) -> LayerFlow:
    reach: Reach | None = None
    rate = Fraction(1)
    for part in (part for axis in own.axes for part in parts(axis)):
        rate = part.rate
        for source, one in part.needs.items():
            if source == SIZE:
                continue
            reach = one if reach is None else reach.hull(one)
    reasons = [
        reason for source, reason in own.whole.items() if reason or source == SIZE
    ]
    memory = call.memory
    if node.scanned and node.node.scan is not None:
        states = tuple(kind.shape for kind in node.node.scan.carry.values())
        memory = Memory("state", states) if states else None
    op = call.call.op
    target = (
        op.name
        if op is not None
        else call.call.instance.scope.name
        if call.call.instance
        else ""
    )
    return LayerFlow(
        name,
        target,
        call.call.count,
        own.carries,
        False,
        reach,
        reasons[0] if reasons else "",
        rate,
        memory,
        instance.context,
        inside,
    )


@dataclass(frozen=True)
class StateSize:
    """The elements that a network keeps from one step to the next, as formulas in the sizes of its inputs."""

    fixed: Dim
    per_position: Dim
    """Elements for each position that may come: times max_length."""


def state_size(rows: tuple[LayerFlow, ...]) -> StateSize:
    """The sum over all layers, each as often as it runs."""
    fixed = per_position = Dim.of(0)
    for row in rows:
        inner = state_size(row.inside)
        fixed = fixed + inner.fixed * row.count
        per_position = per_position + inner.per_position * row.count
        if row.memory is None:
            continue
        size = elements(row) * row.count
        if row.memory.places is None:
            per_position = per_position + size
        else:
            fixed = fixed + size * row.memory.places
    return StateSize(fixed, per_position)


def elements(row: LayerFlow) -> Dim:
    """The elements of one place of what a layer keeps, in the sizes of the network's inputs."""
    total = Dim.of(0)
    for shape in row.memory.shapes if row.memory is not None else ():
        size = Dim.of(1)
        for one in shape:
            size = size * row.context.value(one)
        total = total + size
    return total
