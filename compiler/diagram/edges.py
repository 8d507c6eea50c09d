"""The edges of a drawing, from the box that computes a value to those that use it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from graphlib import TopologicalSorter

from compiler.dataclass import dataclass
from compiler.diagram.boxes import BoxBuilder, join_symbol
from compiler.diagram.copies import copies_label
from compiler.diagram.drawing import Box, Edge, EdgeKind
from compiler.diagram.error_overlay import edge_has_error
from compiler.diagram.transfers import End, Transfer, TransferFinder
from compiler.diagram.views import LayerView, ScopeView
from compiler.elaborate.wiring import EXPERTS, WEIGHTS, is_routed
from compiler.expr.syntax import Given
from compiler.ir.graph import Node, Ref, Scope
from compiler.op.arg_types import Formula
from compiler.op.op import Op

_UNLABELLED = ("", "input", "x", "inputs", "output")  # ports whose names say nothing


@dataclass(frozen=True, slots=True)
class _Target:
    """A box that takes values, in its view; for an input of an expanded block, that of the block."""

    box: str
    view: ScopeView
    present: frozenset[int]
    """The cases of the view in which the box is there."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A value at one input of one box. All connections between two boxes become one edge."""

    flow: Transfer
    target: _Target
    cases: Collection[int]
    """The cases of the target's view in which its input has a value from this direction."""
    type: str = ""
    is_list: bool = False
    """Whether the value is a list, of what several copies give."""
    full_type: str = ""
    """The type in full."""
    changed: bool = False
    """Whether the type is new here, and worth a label."""
    label: str = ""
    """The names of the ports at both ends, where they say something."""
    has_error: bool = False


_Pair = tuple[str, str]
"""The ids of the two boxes that an edge joins."""


def build_edges(builder: BoxBuilder, roots: list[ScopeView]) -> list[Edge]:
    """All edges, with labels; a type is written once, where it changes."""
    connector = _Connector(builder, roots)
    by_pair: dict[_Pair, list[Connection]] = {}
    loops: dict[_Pair, ScopeView] = {}
    for connection in connector.connections(roots):
        flow = connection.flow
        pair = (flow.end.box, connection.target.box)
        if flow.loop:
            loops[pair] = flow.view.children[flow.ref.node]
        else:
            by_pair.setdefault(pair, []).append(connection)
    boxes = {box.id: box for box in builder.boxes}
    flow_edges = (
        _with_conditions(edge, connector, by_pair[edge.source, edge.target])
        for edge in _flow_edges(by_pair, boxes)
    )
    return [*flow_edges, *_loop_edges(loops, by_pair, boxes, connector.chained)]


def _with_conditions(
    edge: Edge, connector: _Connector, connections: list[Connection]
) -> Edge:
    """An edge that says in which copies, and without which input, it is there, if not wherever its ends are."""
    layers = [one.flow.instead for one in connections]
    instead = "" if None in layers else _without(layers)
    words = [one for one in (instead, connector.copies(connections)) if one]
    if not words:
        return edge
    label, names = (
        " \u00b7 ".join([text, *words] if text else words)
        for text in (edge.label, edge.names)
    )
    return replace(edge, label=label, names=names, optional=True, instead=instead)


def _without(layers: Iterable[Node | None]) -> str:
    """When the `else` of layers is used: `without mask`, or `else` where more is asked than one input."""
    conditions = [one.layer.when for one in layers if one is not None]
    exprs = [one.expr for one in conditions if isinstance(one, Formula)]
    names = {one.input if isinstance(one, Given) else "" for one in exprs}
    return f"without {names.pop()}" if len(names) == 1 and "" not in names else "else"


def _loop_edges(
    loops: Mapping[_Pair, ScopeView],
    by_pair: Mapping[_Pair, list[Connection]],
    boxes: Mapping[str, Box],
    chained: Mapping[ScopeView, int],
) -> Iterator[Edge]:
    """The values that go to the next copy or step.

    That of a repeat is left out if it leaves the repeat as well: that its copies form a chain is what a repeat is. Of
    several values it would not be seen which takes whose place.
    """
    leaving = {
        (box, view)
        for (box, _), connections in by_pair.items()
        for connection in connections
        for view, _ in connection.flow.end.refs
    }
    shown = {
        view
        for (box, _), view in loops.items()
        if view.is_scan or chained[view] > 1 or (box, view) not in leaving
    }
    for (source, target), view in loops.items():
        stays = source == target and boxes[source].kind == "port"
        if view in shown and not stays:
            yield Edge(source, target, kind="loop")


class _Connector:
    """Finds the connections of all boxes."""

    def __init__(self, builder: BoxBuilder, roots: list[ScopeView]) -> None:
        self._builder, self._types = builder, builder.types
        self._flows = TransferFinder(builder, roots)
        self.chained = self._flows.chained
        self._lifted: dict[tuple[str, ScopeView], frozenset[int]] = {}
        self._new_types: dict[tuple[ScopeView, str, str], bool] = {}

    def connections(self, roots: Iterable[ScopeView]) -> Iterator[Connection]:
        """Every value at every input of every box."""
        for root in roots:
            for view in root.walk():
                for name in view.visible_layers:
                    child = view.children.get(name)
                    if child is None:
                        yield from self._into_layer(view, name)
                    else:
                        yield from self._into_block(view, child)
                yield from self._into_elided(view)
            yield from self._into_outputs(root)

    def copies(self, connections: list[Connection]) -> str:
        """In how many copies an edge is there; "" if in all in which both its ends are."""
        flow, target = connections[0].flow, connections[0].target
        holds = frozenset().union(*(c.flow.cases for c in connections))
        around = self._lift(target.box, target.view, target.present, flow.view)
        source = self._lift(flow.end.box, *self._place(flow.end), flow.view)
        if (around & source) - holds:
            return copies_label(flow.view, holds)
        if target.view is flow.view:
            return ""
        inner = set().union(*(c.cases for c in connections))
        missing = target.present - inner
        if not around <= source:
            missing &= _lower(target.view, flow.view, around & source)
        return copies_label(target.view, inner) if missing else ""

    def _place(self, end: End) -> tuple[ScopeView, frozenset[int]]:
        """The view that a box is in, and the cases in which it is there."""
        view, name = self._builder.places.get(end.box, (end.view, ""))
        if name in view.scope.nodes:
            return view, view.active_cases(name)
        return view, view.input_cases(name) if name else view.all_cases

    def _lift(
        self, box: str, view: ScopeView, cases: frozenset[int], upto: ScopeView
    ) -> frozenset[int]:
        """The cases of an outer view in which a box of an inner view is there."""
        found = self._lifted.get((box, upto))
        if found is None:
            while view is not upto:
                assert view.parent is not None
                if cases == view.all_cases:
                    cases = view.parent.active_cases(view.name)
                else:
                    callers = (view.callers[case] for case in cases)
                    cases = frozenset(one.case for some in callers for one in some)
                view = view.parent
            found = self._lifted[box, upto] = cases
        return found

    def _into_layer(self, view: ScopeView, name: str) -> Iterator[Connection]:
        layer = view.layer(name)
        errors = self._builder.errors.at(view, layer)
        several_ports = len({port for port, _ in layer.refs}) > 1
        target = _Target(self._builder.ids[view, name], view, view.active_cases(name))
        for wire in view.wires(name):
            obvious = wire.port in (*_UNLABELLED, wire.written.node)
            labelled = several_ports and not obvious and not wire.port.isdigit()
            has_error = edge_has_error(layer, wire.written, errors)
            for flow in self._flows.into(view, wire):
                label = wire.port if labelled else ""
                yield self._connection(flow, target, wire.cases, label, has_error)

    def _into_block(self, view: ScopeView, child: ScopeView) -> Iterator[Connection]:
        """The values at the named or common entry points of an expanded block."""
        layer = view.layer(child.name)
        errors = self._builder.errors.at(view, layer)
        faulty = {
            wire.port
            for wire in view.wires(child.name)
            if errors and edge_has_error(layer, wire.written, errors)
        }
        for port in child.scope.inputs:
            box = self._builder.ids.get((child, port))
            if box is None:
                continue
            target = _Target(box, child, child.input_cases(port))
            named = port if box in self._builder.named_points else None
            yield from self._routing(view, child, target)
            for flow in self._flows.into_input(child, target.present, port):
                yield self._connection(
                    flow, target, target.present, "", port in faulty, named
                )

    def _routing(
        self, view: ScopeView, child: ScopeView, target: _Target
    ) -> Iterator[Connection]:
        """What sends tokens to the experts that an expanded block is."""
        if is_routed(view.layer(child.name).node.layer):
            for wire in view.wires(child.name):
                if wire.port in (EXPERTS, WEIGHTS):
                    for flow in self._flows.into(view, wire):
                        yield self._connection(flow, target, target.present)

    def _into_elided(self, view: ScopeView) -> Iterator[Connection]:
        """The values that elided layers take from visible ones."""
        elided = {name for name in view.elided_layers if not view.layer(name).optional}
        inner = (name for name in elided if elided.issuperset(_sources(view, name)))
        within = set(inner)
        elided.update(view.elided_layers)
        for name in view.elided_layers:
            if name in within:
                continue
            target = _Target(self._builder.ids[view, name], view, view.all_cases)
            for wire in view.wires(name):
                if wire.source.node not in elided:
                    for flow in self._flows.into(view, wire):
                        yield self._connection(flow, target, view.all_cases)

    def _into_outputs(self, root: ScopeView) -> Iterator[Connection]:
        for wire in root.output_wires:
            target = _Target(
                self._builder.outputs[root, wire.port], root, root.all_cases
            )
            for flow in self._flows.into(root, wire):
                found = self._connection(flow, target, wire.cases, "", False, wire.port)
                yield replace(found, changed=False)

    def _connection(
        self,
        flow: Transfer,
        target: _Target,
        cases: Collection[int],
        label: str = "",
        has_error: bool = False,
        obvious: str | None = None,
    ) -> Connection:
        """A connection with its label.

        Args:
            label: the port of the target.
            obvious: the name of an output that the target says itself.
        """
        view, ref = flow.view, flow.ref
        if flow.loop:
            return Connection(flow, target, cases)
        type = self._types.on_edge(view, ref)
        full = self._types.full(view, ref)
        if view.is_input(ref.node):
            return Connection(
                flow,
                target,
                cases,
                type,
                False,
                full,
                False,
                _port_label("", label),
                has_error,
            )
        layer = view.layer(ref.node)
        is_list = any(ref.port in typed.lists for _, typed in layer.uses)
        port = _source_port(layer, ref)
        port = "" if port == obvious else port
        changed = any(
            self._is_new_type(*place)
            for place in (*flow.end.refs, (view, ref))
            if not place[0].is_input(place[1].node)
        )
        return Connection(
            flow,
            target,
            cases,
            type,
            is_list,
            full,
            changed,
            _port_label(port, label),
            has_error,
        )

    def _is_new_type(self, view: ScopeView, ref: Ref) -> bool:
        """Whether a value has a type that no edge before it shows; edges into a sum show none."""
        key = view, ref.node, ref.port
        found = self._new_types.get(key)
        if found is None:
            types = self._types
            found = types.changes(view, ref) or (
                join_symbol(view.layer(ref.node)) != ""
                and any(
                    types.changes(view, source)
                    for _, source in view.sources(ref.node)
                    if not view.is_input(source.node)
                )
            )
            self._new_types[key] = found
        return found


def _sources(view: ScopeView, name: str) -> Iterator[str]:
    """The layers and inputs that feed a layer, as the spec names them."""
    return (ref.node for _, ref in view.layer(name).refs)


def _lower(view: ScopeView, upto: ScopeView, cases: frozenset[int]) -> frozenset[int]:
    """The cases of an inner view that run in the given cases of an outer one."""
    if view is upto:
        return cases
    assert view.parent is not None
    around = _lower(view.parent, upto, cases)
    return frozenset(
        number
        for number, callers in enumerate(view.callers)
        if any(caller.case in around for caller in callers)
    )


def _source_port(layer: LayerView, ref: Ref) -> str:
    """The output that a value comes from; "" if the layer has only one."""
    names = output_names(layer)
    port = ref.port or next(iter(names), "")
    return port if len(names) > 1 and port not in _UNLABELLED else ""


def output_names(layer: LayerView) -> tuple[str, ...]:
    """The outputs of a layer: first the default one; the states of a scan come last."""
    target = layer.target
    if layer.uses and layer.uses[0][1].outputs:
        return tuple(layer.uses[0][1].outputs)
    if isinstance(target, Scope):
        return tuple(target.outputs)
    if isinstance(target, type) and issubclass(target, Op):
        return target.outputs or ()
    return ()


def _ranks(pairs: Iterable[_Pair]) -> dict[str, int]:
    """The length of the longest path to each box."""
    sources: dict[str, list[str]] = {}
    for source, target in pairs:
        sources.setdefault(source, [])
        sources.setdefault(target, []).append(source)
    ranks: dict[str, int] = {}
    for name in TopologicalSorter(sources).static_order():
        ranks[name] = max((ranks[source] + 1 for source in sources[name]), default=0)
    return ranks


def _flow_edges(
    by_pair: Mapping[_Pair, list[Connection]], boxes: Mapping[str, Box]
) -> list[Edge]:
    """The edges that lead on through the graph, with the names of their ports and, of some, their types."""
    ranks = _ranks(by_pair)
    on_path: dict[str, list[int]] = {}
    for box in boxes.values():
        if box.main_path and box.id in ranks:
            on_path.setdefault(box.main_path, []).append(ranks[box.id])
    for found in on_path.values():
        found.sort()
    edges = {pair: _edge(pair, boxes, ranks, on_path) for pair in by_pair}
    typed = _edges_with_types(edges, by_pair, ranks, boxes)
    return [
        replace(
            edges[pair],
            label=_label(connections, pair in typed),
            names=_label(connections, False),
            is_list=any(one.is_list for one in connections),
            type=_only(one.full_type for one in connections),
            has_error=any(connection.has_error for connection in connections),
        )
        for pair, connections in by_pair.items()
    ]


def _edge(
    pair: _Pair,
    boxes: Mapping[str, Box],
    ranks: Mapping[str, int],
    on_path: Mapping[str, list[int]],
) -> Edge:
    source, target = pair
    path_id = boxes[source].main_path
    on_main_path = path_id != "" and path_id == boxes[target].main_path
    if on_main_path:
        path = on_path[path_id]
        after = bisect_right(path, ranks[source])
        on_main_path = path[after] >= ranks[target]
    adjacent = on_main_path or ranks[target] - ranks[source] == 1
    kind: EdgeKind = "flow" if adjacent else "skip"
    return Edge(source, target, kind=kind, on_main_path=on_main_path)


def _edges_with_types(
    edges: Mapping[_Pair, Edge],
    by_pair: Mapping[_Pair, list[Connection]],
    ranks: Mapping[str, int],
    boxes: Mapping[str, Box],
) -> set[_Pair]:
    """The edges that show a type: for each new type one of its edges, and all edges with errors."""

    def distance(pair: _Pair) -> tuple[bool, int]:
        edge = edges[pair]
        return not edge.on_main_path, ranks[edge.target] - ranks[edge.source]

    best: dict[tuple[str, str], _Pair] = {}
    for pair, connections in by_pair.items():
        for connection in connections:
            if connection.changed and connection.type:
                key = (pair[0], connection.type)
                best[key] = min(best.setdefault(key, pair), pair, key=distance)
    typed = {pair for pair in best.values() if _has_space(edges[pair], boxes)}
    faulty = {
        pair
        for pair, connections in by_pair.items()
        if any(connection.has_error for connection in connections)
    }
    return typed | faulty


def _has_space(edge: Edge, boxes: Mapping[str, Box]) -> bool:
    """Whether an edge can show a type: not beside the edges that enter a sum from the side."""
    return edge.kind == "flow" and not (
        edge.on_main_path and boxes[edge.target].kind == "join"
    )


def _only(types: Iterable[str]) -> str:
    """The one type among several that are the same; "" if they differ."""
    found = set(types)
    return found.pop() if len(found) == 1 else ""


def _label(connections: list[Connection], typed: bool) -> str:
    ports = dict.fromkeys(one.label for one in connections if one.label)
    types = dict.fromkeys(one.type for one in connections if one.type)
    text = ", ".join(ports)
    if not typed or len(types) != 1 or len(ports) > 2:
        return text
    return f"{text}: {next(iter(types))}" if text else next(iter(types))


def _port_label(source: str, target: str) -> str:
    """`hidden`, `query`, or both if they differ: `hidden → state`."""
    if source.isdigit() and target:
        source = ""
    if source and target and source != target:
        return f"{source} → {target}"
    return source or target
