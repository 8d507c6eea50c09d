"""What a page shows of each scope while it is open: its boxes and arrows, and where each box leads.

Scopes that are drawn alike are collected once, however often a network has them: the page grows with what is
distinct, as compiling does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from compiler.dataclass import dataclass
from compiler.diagnostics.text import printable
from compiler.diagram.boxes import BoxBuilder, short_name
from compiler.diagram.captions import layer_caption
from compiler.diagram.drawing import Box, Caption, Drawing, Edge
from compiler.diagram.edges import build_edges, output_names
from compiler.diagram.error_overlay import ErrorOverlay
from compiler.diagram.shown_types import TypeLabels
from compiler.diagram.tie_edges import tie_edges, ties_as_notes
from compiler.diagram.views import ScopeView
from compiler.ir.counts import ParameterCounter
from compiler.ir.typed import TypedGraph, walk_instances
from compiler.page.describe_layer import LayerDescriber
from compiler.page.json_values import Json, JsonObject
from compiler.page.text_places import TextPlaces

_PER_LAYER = 4
"""Boxes of a page for each layer of a distinct instance, about: deeper scopes beyond them stay folded.

Scopes of several instances together may be more than the instances are.
"""
_MOST_ANYWAY = 2_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A scope that is to be collected."""

    view: ScopeView
    number: int


class ScopeCollector:
    """Collects the scopes of a graph, outer ones first."""

    def __init__(self, typed: TypedGraph, names: bool, places: TextPlaces) -> None:
        self._failed, self._names, self._places = typed.failed, names, places
        self._errors, self._counter = ErrorOverlay(typed), ParameterCounter()
        self._describer = LayerDescriber(self._counter, places)
        self._numbers: dict[object, int] = {}
        self._waiting: deque[_Waiting] = deque()
        instances = walk_instances(typed.networks.values())
        layers = sum(len(instance.nodes) for instance in instances)
        self._left = _MOST_ANYWAY + _PER_LAYER * layers
        self.families: set[str] = set()
        """The families of ops that occur, as far as collected."""
        self._found: list[JsonObject] = []

    def collect(self, roots: Iterable[ScopeView]) -> tuple[list[int], list[JsonObject]]:
        """The numbers of the roots, and all scopes by their numbers."""
        numbers = [self._number(root) for root in roots]
        while self._waiting:
            one = self._waiting.popleft()
            self._found.append(self._scope(one.view))
            assert len(self._found) == one.number + 1
        return numbers, self._found

    def _number(self, view: ScopeView) -> int:
        key = self._key(view)
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._numbers)
            self._waiting.append(_Waiting(view, found))
        return found

    def _key(self, view: ScopeView) -> object:
        """What the boxes and arrows of a scope depend on."""
        runs: tuple[object, ...] = tuple(map(id, view.instances))
        if len(runs) > 1:  # in how many copies something holds is then said
            runs = (*runs, *view.copies)
        if self._failed or not runs:  # errors are of a path
            return view.root.name, view.path
        if view.parent is None:
            return id(view.scope), runs
        node = view.parent.scope.nodes[view.name]
        states = id(node) if view.is_scan else 0
        if node.layer.repeat is None or len(view.instances) < 2:
            return id(view.scope), runs, states
        return id(view.scope), runs, self._key(view.parent), view.name

    def _scope(self, view: ScopeView) -> JsonObject:
        builder = BoxBuilder(self._errors, TypeLabels(self._names), self._counter)
        builder.add_root(view, "")
        edges = (*build_edges(builder, [view]), *tie_edges(builder, [view]))
        boxes, parts = _noted(builder.boxes, edges), _Parts.of(view, builder)
        self._left -= len(boxes)
        self.families |= {
            box.family for box in boxes if box.kind == "layer" and box.family
        }
        numbers = {box.id: number for number, box in enumerate(boxes)}
        place = view.scope.place
        return _without_blanks(
            {
                "kind": view.scope.kind,
                "name": short_name(view.scope.name),
                "text": printable(view.scope.description or ""),
                "at": self._places.of(place.span(key=bool(place.path)), place.span()),
                "boxes": [self._box(parts, box) for box in boxes],
                "edges": [
                    _edge(parts, edge, numbers) for edge in edges if edge.kind != "tie"
                ],
                "loops": list(_loops(view)),
                "ends": view.end_layers,
            }
        )

    def _box(self, parts: _Parts, box: Box) -> JsonObject:
        name = parts.name(box)
        found = _without_blanks(
            {
                "kind": box.kind,
                "name": name,
                "caption": _caption(box.caption),
                "family": box.family,
                "flags": _flags(w=box.has_weights, o=box.optional),
                "error": box.error,
            }
        )
        if box.id in parts.layers:
            return found | self._layer(parts.view, name)
        if box.kind == "elided":
            return found
        port = self._describer.port(parts.view, name, box.kind == "output")
        return found | port

    def _layer(self, view: ScopeView, name: str) -> JsonObject:
        layer = view.layer(name)
        found = self._describer.layer(view, layer)
        child = None if self._left < 0 else view.openable(name)
        if child is None:
            return found
        view.children[name] = child  # the caption of what is open differs
        opened = layer_caption(view, name, self._counter, self._names)
        found["opens"] = self._number(child)
        found["open"] = _caption(opened)
        return found


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the boxes of a scope stand for: names by the ids of boxes."""

    view: ScopeView
    layers: Mapping[str, str]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]

    @classmethod
    def of(cls, view: ScopeView, builder: BoxBuilder) -> _Parts:
        ids = builder.ids
        layers = {ids[view, n]: n for n in view.active_layers if (view, n) in ids}
        inputs = {ids[view, n]: n for n in view.scope.inputs}
        return cls(
            view, layers, inputs, {i: n for (_, n), i in builder.outputs.items()}
        )

    def name(self, box: Box) -> str:
        """The name that a box has in its scope."""
        if box.kind == "elided":
            return box.caption.name
        for names in (self.layers, self.inputs, self.outputs):
            if box.id in names:
                return names[box.id]
        raise AssertionError(f"box {box.id} stands for nothing")

    def ports(self, edge: Edge) -> Iterator[Json]:
        """The ports that an arrow joins, where one of its ends can be opened: an output and an input, as pairs."""
        view = self.view
        source = self.layers.get(edge.source) or self.inputs.get(edge.source)
        target = self.layers.get(edge.target, "")
        ends = [one for one in (self.layers.get(edge.source), target) if one]
        if source is None or all(view.layer(one).scope is None for one in ends):
            return
        output = self.outputs.get(edge.target)
        wires = view.wires(target) if target else view.output_wires
        pairs = {
            (_output(view, source, wire.source.port), wire.port if target else "")
            for wire in wires
            if wire.source.node == source and (target or wire.port == output)
        }
        yield from ([*pair] for pair in sorted(pairs))


def _edge(parts: _Parts, edge: Edge, numbers: Mapping[str, int]) -> Json:
    """Source, target, label, flags, and the ports at both ends of an arrow between scopes."""
    flags = _flags(
        m=edge.on_main_path,
        s=edge.kind == "skip",
        o=edge.optional,
        e=edge.has_error,
    )
    ends = numbers[edge.source], numbers[edge.target]
    ports = list(parts.ports(edge))
    return [*ends, edge.label, flags, *([ports] if ports else [])]


def _flags(**letters: bool) -> str:
    """The letters that hold."""
    return "".join(letter for letter, holds in letters.items() if holds)


def _output(view: ScopeView, source: str, port: str) -> str:
    """The output of a layer's scope that a port of the layer has its value from."""
    if view.is_input(source) or view.layer(source).scope is None:
        return port
    layer = view.layer(source)
    port = port or next(iter(output_names(layer)), "")
    return layer.uses[0][1].copy_port(port) if layer.uses else port


def _loops(view: ScopeView) -> Iterator[Json]:
    """The states that go from each step of a scan to the next: names of an output and of the input that takes it."""
    if view.parent is not None and view.is_scan:
        yield from view.parent.scope.nodes[view.name].carry


def _noted(boxes: list[Box], edges: tuple[Edge, ...]) -> tuple[Box, ...]:
    """The boxes, each tie written in one of those that it joins: a page has no arrows between scopes."""
    apart = tuple(replace(box, main_path="") for box in boxes)
    return ties_as_notes(Drawing(Caption(""), apart, (), edges)).boxes


def _caption(caption: Caption) -> list[Json]:
    """Name, details and badge, then the lines below."""
    return [caption.name, caption.detail, caption.badge, *caption.lines]


def _without_blanks(found: JsonObject) -> JsonObject:
    return {key: value for key, value in found.items() if value}
