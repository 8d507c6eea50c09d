"""The edges of a drawing, from the box that computes a value to those that use it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter

from compiler.diagram.boxes import BoxBuilder, entry_points, join_symbol
from compiler.diagram.drawing import Box, Edge, EdgeKind
from compiler.diagram.error_overlay import edge_has_error
from compiler.diagram.shown_types import TypeLabels
from compiler.diagram.views import LayerView, ScopeView
from compiler.ir.graph import Ref, Scope
from compiler.op.op import Op

_UNLABELLED = ("", "input", "x", "inputs", "output")  # ports whose names say nothing


@dataclass(frozen=True, slots=True)
class Producer:
    """The box that a value comes from, with the value's type and port."""

    box: str
    """The id of the box."""
    type: str = ""
    changed: bool = False
    """Whether the type is new here, and worth a label."""
    port: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """One input of one box. All connections between two boxes become one edge."""

    producer: Producer
    target: str
    port: str = ""
    has_error: bool = False


_Pair = tuple[str, str]
"""The ids of the two boxes that an edge joins."""


def build_edges(builder: BoxBuilder, roots: list[ScopeView]) -> list[Edge]:
    """All edges, with labels; a type is written once, where it changes."""
    by_pair: dict[_Pair, list[Connection]] = {}
    for root in roots:
        for connection in _connections(builder, root):
            pair = (connection.producer.box, connection.target)
            by_pair.setdefault(pair, []).append(connection)
    ranks = _ranks(by_pair)
    boxes = {box.id: box for box in builder.boxes}
    edges = {pair: _edge(pair, boxes, ranks) for pair in by_pair}
    typed = _edges_with_types(edges, by_pair, ranks, boxes)
    flow = [
        replace(
            edges[pair],
            label=_label(connections, pair in typed),
            has_error=any(connection.has_error for connection in connections),
        )
        for pair, connections in by_pair.items()
    ]
    return [*flow, *(loop for root in roots for loop in _loops(builder, root))]


def _producer(builder: BoxBuilder, view: ScopeView, ref: Ref | None) -> Producer | None:
    """The box that computes a value; None if the value is absent or unknown."""
    while ref is not None and (resolved := view.resolve(ref)) is not None:
        if not view.is_input(resolved.node):
            return _layer_producer(builder, view, resolved)
        box = builder.ids.get((view, resolved.node))
        if box is not None:
            return Producer(box, builder.types.on_edge(view, resolved))
        if view.parent is None:
            return None
        sources = dict(view.parent.sources(view.name))
        view, ref = view.parent, sources.get(resolved.node)
    return None


def _layer_producer(builder: BoxBuilder, view: ScopeView, ref: Ref) -> Producer | None:
    types = builder.types
    type, changed = types.on_edge(view, ref), _is_new_type(types, view, ref)
    port = _source_port(view.layer(ref.node), ref)
    child = view.children.get(ref.node)
    if child is None:
        box = builder.ids.get((view, ref.node))
        return Producer(box, type, changed, port) if box else None
    layer = view.layer(ref.node)
    name = ref.port or next(iter(_outputs(layer)), "")
    if layer.node.layer.repeat is not None:
        name = layer.node.layer.repeat.stack.get(name, name)
    inner = _producer(builder, child, child.scope.outputs.get(name))
    if inner is None:
        return None
    return Producer(inner.box, type, changed or inner.changed, port)


def _is_new_type(types: TypeLabels, view: ScopeView, ref: Ref) -> bool:
    """Whether a value has a type that no edge before it shows; edges into a sum show none."""
    if types.changes(view, ref):
        return True
    if not join_symbol(view.layer(ref.node)):
        return False
    sources = (source for _, source in view.sources(ref.node))
    return any(
        types.changes(view, source)
        for source in sources
        if not view.is_input(source.node)
    )


def _connections(builder: BoxBuilder, root: ScopeView) -> Iterator[Connection]:
    for view in root.walk():
        for name in view.visible_layers:
            yield from _layer_connections(builder, view, name)
        yield from _elided_connections(builder, view)
    for name, ref in root.outputs.items():
        producer = _producer(builder, root, ref)
        if producer is not None:
            port = "" if producer.port == name else producer.port
            untyped = replace(producer, changed=False, port=port)
            yield Connection(untyped, builder.outputs[root, name])


def _elided_connections(builder: BoxBuilder, view: ScopeView) -> Iterator[Connection]:
    """The inputs that elided layers take from visible ones."""
    names = view.elided_layers
    elided = set(names)
    for name in names:
        refs = (ref for _, ref in view.sources(name) if ref.node not in elided)
        for ref in refs:
            producer = _producer(builder, view, ref)
            if producer is not None:
                yield Connection(producer, builder.ids[view, name])


def _layer_connections(
    builder: BoxBuilder, view: ScopeView, name: str
) -> Iterator[Connection]:
    box = builder.ids.get((view, name))
    layer = view.layer(name)
    child = view.children.get(name)
    errors = builder.errors.at(view, layer)
    several_ports = len({port for port, _ in layer.refs}) > 1
    points = entry_points(child) if child is not None else {}
    for port, ref in layer.refs:
        target = box if child is None else builder.ids.get((child, port))
        producer = _producer(builder, view, ref)
        if target is None or producer is None:
            continue
        if points.get(port) and producer.port == port:
            producer = replace(producer, port="")  # the point's own label says it
        obvious = port in (*_UNLABELLED, ref.node) or port.isdigit()
        label = port if several_ports and child is None and not obvious else ""
        yield Connection(producer, target, label, edge_has_error(layer, ref, errors))


def _loops(builder: BoxBuilder, root: ScopeView) -> Iterator[Edge]:
    """The states of expanded scans, from the end of a step to the start of the next."""
    for view in root.walk():
        for name, child in view.children.items():
            for state in view.layer(name).node.carry:
                target = builder.ids.get((child, state))
                producer = _producer(builder, child, child.scope.outputs.get(state))
                if target is not None and producer is not None:
                    yield Edge(producer.box, target, kind="loop")


def _source_port(layer: LayerView, ref: Ref) -> str:
    """The output that a value comes from; "" if the layer has only one."""
    names = _outputs(layer)
    port = ref.port or next(iter(names), "")
    return port if len(names) > 1 and port not in _UNLABELLED else ""


def _outputs(layer: LayerView) -> tuple[str, ...]:
    """The outputs of a layer: first the default one; the states of a scan come last."""
    target = layer.target
    if layer.uses and layer.uses[0][1].outputs:
        return tuple(layer.uses[0][1].outputs)
    if isinstance(target, Scope):
        return tuple(target.outputs)
    if isinstance(target, type) and issubclass(target, Op):
        return target.outputs or ()
    return ()


def _ranks(by_pair: dict[_Pair, list[Connection]]) -> dict[str, int]:
    """The length of the longest path to each box."""
    sources: dict[str, list[str]] = {}
    for source, target in by_pair:
        sources.setdefault(source, [])
        sources.setdefault(target, []).append(source)
    ranks: dict[str, int] = {}
    for name in TopologicalSorter(sources).static_order():
        ranks[name] = max((ranks[source] + 1 for source in sources[name]), default=0)
    return ranks


def _edge(pair: _Pair, boxes: dict[str, Box], ranks: dict[str, int]) -> Edge:
    source, target = pair
    path_id = boxes[source].main_path
    on_main_path = path_id != "" and path_id == boxes[target].main_path
    if on_main_path:
        between = range(ranks[source] + 1, ranks[target])
        on_main_path = not any(
            box.main_path == path_id and ranks.get(box.id) in between
            for box in boxes.values()
        )
    adjacent = on_main_path or ranks[target] - ranks[source] == 1
    kind: EdgeKind = "flow" if adjacent else "skip"
    return Edge(source, target, kind=kind, on_main_path=on_main_path)


def _edges_with_types(
    edges: dict[_Pair, Edge],
    by_pair: dict[_Pair, list[Connection]],
    ranks: dict[str, int],
    boxes: dict[str, Box],
) -> set[_Pair]:
    """The edges that show a type: for each new type one of its edges, and all edges with errors."""

    def distance(pair: _Pair) -> tuple[bool, int]:
        edge = edges[pair]
        return not edge.on_main_path, ranks[edge.target] - ranks[edge.source]

    best: dict[tuple[str, str], _Pair] = {}
    for pair, connections in by_pair.items():
        for producer in (connection.producer for connection in connections):
            if producer.changed and producer.type:
                key = (producer.box, producer.type)
                best[key] = min(best.setdefault(key, pair), pair, key=distance)
    typed = {pair for pair in best.values() if _has_space(edges[pair], boxes)}
    faulty = {
        pair
        for pair, connections in by_pair.items()
        if any(connection.has_error for connection in connections)
    }
    return typed | faulty


def _has_space(edge: Edge, boxes: dict[str, Box]) -> bool:
    """Whether an edge can show a type: not beside the edges that enter a sum from the side."""
    return edge.kind == "flow" and not (
        edge.on_main_path and boxes[edge.target].kind == "join"
    )


def _label(connections: list[Connection], typed: bool) -> str:
    labels = (_port_label(connection) for connection in connections)
    ports = dict.fromkeys(label for label in labels if label)
    types = dict.fromkeys(c.producer.type for c in connections if c.producer.type)
    text = ", ".join(ports)
    if not typed or len(types) != 1 or len(ports) > 2:
        return text
    return f"{text}: {next(iter(types))}" if text else next(iter(types))


def _port_label(connection: Connection) -> str:
    """`hidden`, `query`, or both if they differ: `hidden → state`."""
    source, target = connection.producer.port, connection.port
    if source.isdigit() and target:
        source = ""
    if source and target and source != target:
        return f"{source} → {target}"
    return source or target
