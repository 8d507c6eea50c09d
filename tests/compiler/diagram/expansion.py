"""Every flow of a value in a network, copy by copy: what the arrows of a picture are compared with.

It shares nothing with the code that draws. Each copy of each layer is visited, as an interpreter would run it, on
origins in place of tensors: the box that a value comes from and the copy that it is in. What is a box, and what is
open, is read off the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from compiler.diagram.drawing import Drawing
from compiler.elaborate.wiring import EXPERTS, WEIGHTS
from compiler.ir.graph import Ref
from compiler.ir.typed import Instance, LayerCall, TypedGraph, TypedNode

STEPS = 3  # of a scan: the first, one in the middle, the last

Copies = tuple[int, ...]
"""The number of the copy at each level of nesting, outermost first; 0 where nothing repeats."""


@dataclass(frozen=True)
class Origin:
    """A box in one copy of the scope that it is in."""

    box: str
    copies: Copies
    instead: bool = False
    """Whether the value is an `else`, for networks without some of their inputs."""


Values = frozenset[Origin]


@dataclass
class Expansion:
    """Arrows between boxes: the copies that the source and the target are in, for each time that a value flows."""

    arrows: dict[tuple[str, str], set[tuple[Copies, Copies]]] = field(
        default_factory=dict
    )
    present: dict[str, set[Copies]] = field(default_factory=dict)
    """The copies in which each box is there."""
    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    given: set[tuple[str, str]] = field(default_factory=set)
    """The arrows that are there with all inputs of the network; the others are so without some."""

    def visit(self, box: str, path: tuple[str, ...], copies: Copies) -> None:
        self.paths[box] = path
        self.present.setdefault(box, set()).add(copies)

    def feed(self, values: Values, box: str, copies: Copies) -> None:
        for origin in values:
            pair = self.arrows.setdefault((origin.box, box), set())
            pair.add((origin.copies, copies))
            if not origin.instead:
                self.given.add((origin.box, box))

    def common(self, source: str, target: str) -> int:
        """How many levels of nesting two boxes share."""
        pairs = zip(self.paths[source][:-1], self.paths[target][:-1], strict=False)
        same = [left == right for left, right in pairs]
        return same.index(False) if False in same else len(same)

    def is_loop(self, pair: tuple[str, str], copies: tuple[Copies, Copies]) -> bool:
        """Whether a value goes from one copy of what is around both boxes to another."""
        level = self.common(*pair)
        return copies[0][:level] != copies[1][:level]


def expand(typed: TypedGraph, drawing: Drawing) -> Expansion:
    """Every flow between the boxes of a drawing of whole networks."""
    expansion = Expansion()
    boxes = {(box.kind == "output", box.path): box.id for box in drawing.boxes}
    for name, instance in typed.networks.items():
        values = {
            port: frozenset[Origin]()
            for port, kind in instance.inputs.items()
            if kind is not None
        }
        walker = _Walker(expansion, boxes)
        outputs = walker.scope(instance, (name,), (0,), values)
        for port, found in outputs.items():
            if found:
                box = boxes[True, (name, port)]
                expansion.visit(box, (name, port), (0,))
                expansion.feed(found, box, (0,))
    return expansion


@dataclass
class _Walker:
    expansion: Expansion
    boxes: Mapping[tuple[bool, tuple[str, ...]], str]

    def scope(
        self,
        instance: Instance,
        path: tuple[str, ...],
        copies: Copies,
        given: Mapping[str, Values],
    ) -> dict[str, Values]:
        found: dict[tuple[str, str], Values] = {}
        for port, values in given.items():
            box = self.boxes.get((False, (*path, port)))
            if box is not None and port not in instance.nodes:
                self.expansion.visit(box, (*path, port), copies)
                self.expansion.feed(values, box, copies)
                values = frozenset({Origin(box, copies)})
            found[port, ""] = values
        for name, node in instance.nodes.items():
            for port, values in self._layer(node, path, copies, found).items():
                found[name, port] = values
        outputs = instance.scope.outputs.items()
        return {name: _value(found, ref) for name, ref in outputs}

    def _layer(
        self,
        node: TypedNode,
        path: tuple[str, ...],
        copies: Copies,
        found: Mapping[tuple[str, str], Values],
    ) -> dict[str, Values]:
        inputs = {
            port: [_value(found, one) for one in _refs(ref)]
            for port, ref in node.inputs.items()
        }
        if not node.calls:
            first = next((one for some in inputs.values() for one in some), frozenset())
            other = node.node.otherwise
            passed = first if other is None else _value(found, other)
            return {"": passed, **dict.fromkeys(node.outputs, passed)}
        carried = {
            name: _value(found, carry.ref) if carry.ref else frozenset()
            for name, carry in node.node.carry.items()
        }
        here = (*path, node.node.name)
        box = self.boxes.get((False, here))
        if box is not None:
            self.expansion.visit(box, here, copies)
            taken = [one for some in inputs.values() for one in some]
            for values in (*taken, *carried.values()):
                self.expansion.feed(values, box, copies)
            own = frozenset({Origin(box, copies)}) | self._instead(node, found)
            return {"": own, **dict.fromkeys(node.outputs, own)}
        outputs = self._copies(node, here, copies, inputs, carried)
        other = self._instead(node, found)
        outputs = {port: values | other for port, values in outputs.items()}
        first_port = next(iter(node.outputs))
        return {"": outputs[first_port], **outputs}

    def _instead(
        self, node: TypedNode, found: Mapping[tuple[str, str], Values]
    ) -> Values:
        """What takes the place of a layer without some inputs of the network, if it is none of what the layer takes."""
        other = node.node.otherwise
        taken = (one for ref in node.inputs.values() for one in _refs(ref))
        if other is None or node.outcomes != {True, False} or other in taken:
            return frozenset()
        return frozenset(replace(one, instead=True) for one in _value(found, other))

    def _copies(
        self,
        node: TypedNode,
        path: tuple[str, ...],
        copies: Copies,
        inputs: Mapping[str, list[Values]],
        carried: Mapping[str, Values],
    ) -> dict[str, Values]:
        layer = node.node.layer
        given = {port: some[0] for port, some in inputs.items() if some}
        calls = [call for call in node.calls for _ in range(call.count)]
        if node.scan is not None:
            calls *= STEPS
        given = {**_present(node.calls[0], given), **carried}
        every: list[dict[str, Values]] = []
        sent = [inputs[port][0] for port in (EXPERTS, WEIGHTS) if node.routed]
        for number, call in enumerate(calls):
            assert call.instance is not None
            given |= {port: inputs[port][number] for port in node.each}
            every.append(self.scope(call.instance, path, (*copies, number), given))
            if sent:  # it arrives where the tokens do
                (tokens,) = call.instance.inputs
                box = self.boxes[False, (*path, tokens)]
                for values in sent:
                    self.expansion.feed(values, box, (*copies, number))
            if node.scan is not None:
                given = {**given, **{name: every[-1][name] for name in carried}}
            elif layer.repeat is not None and layer.repeat.chain:
                given = _following(every[-1], given, node.each)
        outputs = dict(every[-1])
        if node.scan is not None:
            together = [name for name in outputs if name not in carried]
            outputs |= {name: _union(every, name) for name in together}
        stack = {} if layer.repeat is None else layer.repeat.stack
        outputs |= {name: _union(every, port) for name, port in stack.items()}
        for item, (_, copy) in node.items.items():
            outputs[item] = every[copy][node.copy_port(item)]
        return outputs


def _present(call: LayerCall, given: Mapping[str, Values]) -> dict[str, Values]:
    """The inputs that have a value; an optional one may have none."""
    assert call.instance is not None
    types = call.instance.inputs
    return {port: found for port, found in given.items() if types.get(port)}


def _following(
    outputs: Mapping[str, Values], given: Mapping[str, Values], each: frozenset[str]
) -> dict[str, Values]:
    """What the next copy takes: the outputs of the same names, else the first output as the first input."""
    fed = [name for name in given if name not in each]
    same = {name: outputs[name] for name in outputs if name in fed}
    first = {fed[0]: next(iter(outputs.values()))} if fed else {}
    return {**given, **(same or first)}


def _union(every: list[dict[str, Values]], port: str) -> Values:
    return frozenset().union(*(outputs[port] for outputs in every))


def _refs(ref: Ref | tuple[Ref, ...]) -> tuple[Ref, ...]:
    return ref if isinstance(ref, tuple) else (ref,)


def _value(found: Mapping[tuple[str, str], Values], ref: Ref) -> Values:
    values = found.get((ref.node, ref.port))
    if values is None:
        values = found.get((ref.node, ""), frozenset())
    return values
