"""The arrows of a picture: from where a value comes to where it is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter

from compiler.diagram.boxes import Boxes, points, symbol
from compiler.diagram.drawing import Edge, Node
from compiler.diagram.error_overlay import edge_is_faulty
from compiler.diagram.folding import elided, shown
from compiler.diagram.shown_types import Shapes
from compiler.diagram.views import Frame, Layer
from compiler.ir.graph import Ref, Scope
from compiler.op.op import Op

_PLAIN = ("", "input", "x", "inputs", "output")  # ports that need no word


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a value comes from: a box, with what there is to say of the value."""

    node: str
    type: str = ""
    changed: bool = False
    port: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """One input of one box, before those between the same two boxes become one."""

    anchor: Anchor
    target: str
    port: str = ""
    fault: bool = False


def arrows(boxes: Boxes, roots: list[Frame]) -> list[Edge]:
    """All arrows, each with its words; a type is written once where it changes."""
    wires = [wire for root in roots for wire in _wires(boxes, root)]
    together: dict[tuple[str, str], list[Wire]] = {}
    for wire in wires:
        together.setdefault((wire.anchor.node, wire.target), []).append(wire)
    ranks = _ranks(together)
    nodes = {node.id: node for node in boxes.nodes}
    edges = {pair: _edge(pair, nodes, ranks) for pair in together}
    typed = _where_typed(edges, together, ranks, nodes)
    drawn = [
        replace(
            edges[pair],
            label=_label(found, pair in typed),
            fault=any(wire.fault for wire in found),
        )
        for pair, found in together.items()
    ]
    return [*drawn, *(loop for root in roots for loop in _loops(boxes, root))]


def anchor(boxes: Boxes, frame: Frame, ref: Ref | None) -> Anchor | None:
    """The box that a value comes from; None where the value is absent or unknown."""
    while ref is not None and (found := frame.source(ref)) is not None:
        if not frame.is_input(found.node):
            return _inside(boxes, frame, found)
        ident = boxes.ids.get((frame, found.node))
        if ident is not None:
            return Anchor(ident, boxes.shapes.of(frame, found))
        if frame.parent is None:
            return None
        given = dict(frame.parent.sources(frame.name))
        frame, ref = frame.parent, given.get(found.node)
    return None


def _inside(boxes: Boxes, frame: Frame, ref: Ref) -> Anchor | None:
    shapes = boxes.shapes
    type, changed = shapes.of(frame, ref), _changes(shapes, frame, ref)
    port = _source_port(frame.layer(ref.node), ref)
    child = frame.children.get(ref.node)
    if child is None:
        ident = boxes.ids.get((frame, ref.node))
        return Anchor(ident, type, changed, port) if ident else None
    layer = frame.layer(ref.node)
    name = ref.port or next(iter(_outputs(layer)), "")
    if layer.node.layer.repeat is not None:
        name = layer.node.layer.repeat.stack.get(name, name)
    inner = anchor(boxes, child, child.scope.outputs.get(name))
    if inner is None:
        return None
    return Anchor(inner.node, type, changed or inner.changed, port)


def _changes(shapes: Shapes, frame: Frame, ref: Ref) -> bool:
    """Whether a type is new; after a sum too, for the arrows into it say none."""
    if shapes.changes(frame, ref):
        return True
    if not symbol(frame.layer(ref.node)):
        return False
    sources = (found for _, found in frame.sources(ref.node))
    return any(
        shapes.changes(frame, found)
        for found in sources
        if not frame.is_input(found.node)
    )


def _wires(boxes: Boxes, root: Frame) -> Iterator[Wire]:
    for frame in root.walk():
        for name in shown(frame):
            yield from _into(boxes, frame, name, boxes.ids.get((frame, name)))
        yield from _into_middle(boxes, frame)
    for name, ref in root.outputs.items():
        source = anchor(boxes, root, ref)
        if source is not None:
            port = "" if source.port == name else source.port
            bare = replace(source, changed=False, port=port)
            yield Wire(bare, boxes.outputs[root, name])


def _into_middle(boxes: Boxes, frame: Frame) -> Iterator[Wire]:
    """What the layers that are left out take from those that are drawn."""
    names = elided(frame)
    hidden = set(names)
    for name in names:
        refs = (ref for _, ref in frame.sources(name) if ref.node not in hidden)
        for ref in refs:
            source = anchor(boxes, frame, ref)
            if source is not None:
                yield Wire(source, boxes.ids[frame, name])


def _into(boxes: Boxes, frame: Frame, name: str, box: str | None) -> Iterator[Wire]:
    layer = frame.layer(name)
    child = frame.children.get(name)
    errors = boxes.blame.at(frame, layer)
    several = len({port for port, _ in layer.refs}) > 1
    named = points(child) if child is not None else {}
    for port, ref in layer.refs:
        target = box if child is None else boxes.ids.get((child, port))
        source = anchor(boxes, frame, ref)
        if target is None or source is None:
            continue
        if named.get(port) and source.port == port:
            source = replace(source, port="")  # the point at the end says it
        said = not several or child is not None or port in (*_PLAIN, ref.node)
        word = "" if said or port.isdigit() else port
        yield Wire(source, target, word, edge_is_faulty(layer, ref, errors))


def _loops(boxes: Boxes, root: Frame) -> Iterator[Edge]:
    """The states of opened scans, from the end of a step to the start of the next."""
    for frame in root.walk():
        for name, child in frame.children.items():
            for state in frame.layer(name).node.carry:
                target = boxes.ids.get((child, state))
                source = anchor(boxes, child, child.scope.outputs.get(state))
                if target is not None and source is not None:
                    yield Edge(source.node, target, kind="loop")


def _source_port(layer: Layer, ref: Ref) -> str:
    """The name of an output that is not the layer's only one."""
    names = _outputs(layer)
    port = ref.port or next(iter(names), "")
    return port if len(names) > 1 and port not in _PLAIN else ""


def _outputs(layer: Layer) -> tuple[str, ...]:
    """The outputs of a layer, that which a name alone means first; of a scan, states are last."""
    target = layer.target
    if layer.typed and layer.typed[0][1].outputs:
        return tuple(layer.typed[0][1].outputs)
    if isinstance(target, Scope):
        return tuple(target.outputs)
    if isinstance(target, type) and issubclass(target, Op):
        return target.outputs or ()
    return ()


def _ranks(pairs: dict[tuple[str, str], list[Wire]]) -> dict[str, int]:
    """How far each box is from the inputs, by the longest way."""
    sources: dict[str, list[str]] = {}
    for source, target in pairs:
        sources.setdefault(source, [])
        sources.setdefault(target, []).append(source)
    ranks: dict[str, int] = {}
    for name in TopologicalSorter(sources).static_order():
        ranks[name] = max((ranks[before] + 1 for before in sources[name]), default=0)
    return ranks


def _edge(pair: tuple[str, str], nodes: dict[str, Node], ranks: dict[str, int]) -> Edge:
    source, target = pair
    line = nodes[source].spine
    straight = line != "" and line == nodes[target].spine
    if straight:
        between = range(ranks[source] + 1, ranks[target])
        straight = not any(
            node.spine == line and ranks.get(node.id) in between
            for node in nodes.values()
        )
    near = straight or ranks[target] - ranks[source] == 1
    return Edge(source, target, kind="flow" if near else "skip", spine=straight)


def _where_typed(
    edges: dict[tuple[str, str], Edge],
    together: dict[tuple[str, str], list[Wire]],
    ranks: dict[str, int],
    nodes: dict[str, Node],
) -> set[tuple[str, str]]:
    """Of the arrows that carry one value, the one that says its type."""
    best: dict[tuple[str, str], tuple[str, str]] = {}
    for pair, wires in together.items():
        for wire in wires:
            if wire.anchor.changed and wire.anchor.type:
                key = (wire.anchor.node, wire.anchor.type)
                known = best.setdefault(key, pair)
                best[key] = min(known, pair, key=lambda at: _far(edges[at], ranks))
    plain = {pair for pair in best.values() if _has_room(edges[pair], nodes)}
    faulty = {pair for pair, wires in together.items() if any(w.fault for w in wires)}
    return plain | faulty


def _has_room(edge: Edge, nodes: dict[str, Node]) -> bool:
    """Whether a type may stand at an arrow: not where others come in from the side."""
    return edge.kind == "flow" and not (
        edge.spine and nodes[edge.target].kind == "join"
    )


def _far(edge: Edge, ranks: dict[str, int]) -> tuple[bool, int]:
    return not edge.spine, ranks[edge.target] - ranks[edge.source]


def _label(wires: list[Wire], typed: bool) -> str:
    words = dict.fromkeys(word for wire in wires if (word := _port_word(wire)))
    types = dict.fromkeys(w.anchor.type for w in wires if w.anchor.type)
    text = ", ".join(words)
    if not typed or len(types) != 1 or len(words) > 2:
        return text
    return f"{text}: {next(iter(types))}" if text else next(iter(types))


def _port_word(wire: Wire) -> str:
    """`hidden`, `query`, or both where they differ: `hidden → state`."""
    source, target = wire.anchor.port, wire.port
    if source.isdigit() and target:
        source = ""
    if source and target and source != target:
        return f"{source} → {target}"
    return source or target
