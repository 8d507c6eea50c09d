"""Building a scope: its layers bound to their targets, their inputs to values, in an order that runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.text import listed, shorten
from compiler.elaborate.check_names import check_names, check_sizes
from compiler.elaborate.targets import Targets, bind_arguments, output_ports
from compiler.elaborate.toposort import put_in_order
from compiler.elaborate.wiring import Ports, parse_carry, read_inputs, ref_of
from compiler.ir.graph import Carry, Node, OpParam, Place, Ref, Scope
from compiler.language.identifiers import cap_words
from compiler.language.layers import Layer
from compiler.op.op import Op, Port

if TYPE_CHECKING:
    pass


class ScopeBuilder:
    """Fills one scope. A group's builder asks the builder around it for names that it does not know itself."""

    def __init__(
        self,
        scope: Scope,
        layers: Mapping[str, Layer],
        targets: Targets,
        report: Report,
        outer: ScopeBuilder | None = None,
    ) -> None:
        self.scope, self.layers, self.targets, self.report, self.outer = (
            scope,
            layers,
            targets,
            report,
            outer,
        )
        self.free: dict[str, Ref] = {}
        """Values of the scope around a group that its layers use."""

    def build(self, outputs: Mapping[str, str] | None) -> None:
        """Bind all layers, then the outputs; order them; warn of what nothing uses."""
        previous = next(iter(self.scope.inputs), "")
        for name, layer in self.layers.items():
            if name in self.scope.inputs:
                message = f"{name} is already an input of {self.scope.name}"
                self.report.error(
                    "duplicate-name", self._place(name).span(key=True), message
                )
            node = self._node(name, layer, previous)
            if node is not None:
                self.scope.nodes[name] = node
            previous = name
        self._outputs(outputs, previous)
        put_in_order(self.scope, self.report)

    def resolve(self, ref: Ref, place: Place) -> Ref | None:
        """The value that a name stands for here; a group takes what it does not know from around it."""
        known = self.knows(ref.node)
        if not known and self.outer is not None and self.outer.reaches(ref.node):
            self.free[ref.node] = Ref(ref.node, "", ref.path)
            self.scope.inputs = {**self.scope.inputs, ref.node: None}
            known = True
        if not known:
            message = (
                f"there is no layer or input {shorten(ref.node)} in {self.scope.name}"
            )
            help = self.report.like(ref.node, self.candidates())
            if not help and not self.report.full:
                help = f"known here: {listed(self.candidates())}"
            if re.search(r"\w\s*[-+*/@(]", ref.node):
                help = "a sum is a layer of its own: {op: add, in: [x, y]}"
            self.report.error("unknown-layer", place.span(), message, help=help)
            return None
        return ref

    def knows(self, name: str) -> bool:
        """Whether a name is an input or a layer of this scope itself."""
        return name in self.layers or name in self.scope.inputs

    def reaches(self, name: str) -> bool:
        """Whether a name has a value here or in a scope around a group."""
        return self.knows(name) or (self.outer is not None and self.outer.reaches(name))

    def candidates(self) -> Iterator[str]:
        """All names that have a value here."""
        yield from self.layers
        yield from self.scope.inputs
        yield from self.outer.candidates() if self.outer else ()

    def _place(self, name: str) -> Place:
        step: str | int = int(name) if self.scope.chain else name
        return self.scope.place.at("layers", step)

    def _node(self, name: str, layer: Layer, previous: str) -> Node | None:
        place = self._place(name)
        if layer.share is not None:
            return self._again(name, layer, place, previous)
        if layer.layers is not None:
            return self._group(name, layer, place, previous)
        assert layer.op is not None
        target = self.targets.find(layer.op, self.scope.environment, place, self.report)
        if target is None:
            return None
        arguments = bind_arguments(target, layer, place, self.report)
        check_names(self.scope, layer, arguments, place, self.report)
        if isinstance(target, Scope):
            self._check_ops(target, arguments, place)
        inputs, carry = self._inputs(layer, place, self._ports(target, layer), previous)
        return Node(name, layer, place, target, arguments, inputs, carry)

    def _check_ops(
        self, block: Scope, arguments: Mapping[str, object], place: Place
    ) -> None:
        """An argument that names an op, or a block, names one that is there."""
        for key, value in arguments.items():
            if block.params[key].type == "op" and isinstance(value, str):
                scope = self.scope.environment
                self.targets.find(value, scope, place.at(key), self.report)

    def _ports(self, target: type[Op] | Scope | OpParam, layer: Layer) -> Ports:
        if isinstance(target, OpParam):
            return None
        if isinstance(target, Scope):
            carried = layer.carry or {}
            return tuple(
                Port(name, optional=bool(kind and kind.optional))
                for name, kind in target.inputs.items()
                if name not in carried
            )
        return target.inputs

    def _inputs(
        self, layer: Layer, place: Place, ports: Ports, previous: str
    ) -> tuple[dict[str, Ref | tuple[Ref, ...]], dict[str, Carry]]:
        given = read_inputs(layer, place, ports, previous, self.report)
        inputs: dict[str, Ref | tuple[Ref, ...]] = {}
        for port, value in given.items():
            found = [
                self._value(ref, Place(place.document, ref.path))
                for ref in _several(value)
            ]
            if all(found):
                kept = tuple(ref for ref in found if ref)
                inputs[port] = kept if isinstance(value, tuple) else kept[0]
        carry = {
            name: parse_carry(text, place.at("carry", name), self.report)
            for name, text in (layer.carry or {}).items()
        }
        for name, start in carry.items():
            check_sizes(self.scope, start.shape, place.at("carry", name), self.report)
            if start.ref is not None:
                self._value(start.ref, Place(place.document, start.ref.path))
        return inputs, carry

    def _value(self, ref: Ref, place: Place) -> Ref | None:
        """Resolve a reference and check its port where the layer's outputs are known already."""
        found = self.resolve(ref, place)
        if found is None or not found.port:
            return found
        node = self.scope.nodes.get(found.node)
        ports = output_ports(node) if node else None
        if ports is not None and found.port not in ports:
            message = f"{found.node} has no output {found.port}"
            help = self.report.like(found.port, ports) or f"it gives {listed(ports)}"
            self.report.error("unknown-port", place.span(), message, help=help)
            return None
        if (
            node is None
            and found.node in self.scope.inputs
            and found.node not in self.layers
        ):
            self.report.error(
                "unknown-port",
                place.span(),
                f"{found.node} is an input and has no outputs of its own",
            )
            return None
        return found

    def _again(
        self, name: str, layer: Layer, place: Place, previous: str
    ) -> Node | None:
        origin = self.scope.nodes.get(layer.share or "")
        if origin is None:
            message = (
                f"there is no layer {layer.share} above this one in {self.scope.name}"
            )
            help = self.report.like(layer.share or "", self.scope.nodes)
            self.report.error("bad-share", place.span("share"), message, help=help)
            return None
        extra = next(iter(layer.arguments), None)
        if extra is not None:
            message = f"a shared layer has the arguments of {layer.share}; {extra} cannot be set again"
            self.report.error("bad-share", place.span(extra, key=True), message)
        ports = self._ports(origin.target, origin.layer)
        inputs, _ = self._inputs(layer, place, ports, previous)
        return Node(
            name,
            origin.layer.shared_by(layer),
            place,
            origin.target,
            origin.arguments,
            inputs,
            origin.carry,
            shared=origin.shared or origin.name,
        )

    def _group(
        self, name: str, layer: Layer, place: Place, previous: str
    ) -> Node | None:
        assert layer.layers is not None
        chain = all(key.isdigit() for key in layer.layers)
        for key in layer.arguments:
            self.report.error(
                "unknown-key",
                place.span(key, key=True),
                f"a group has no arguments, so no {key}",
            )
        check_names(self.scope, layer, {}, place, self.report)
        given = read_inputs(layer, place, None, previous, self.report)
        outside: dict[str, Ref] = {}
        for port, value in given.items():
            ref = _first(value)
            inner = ref.node if port.isdigit() else port
            if isinstance(value, tuple) or outside.get(inner, ref) != ref:
                message = f"two values go by the name {inner} inside the group"
                help = "name each: in: {a: x.first, b: x.second}"
                span = place.document.locate(ref.path)
                self.report.error("duplicate-name", span, message, help=help)
            outside[inner] = ref
        class_name = cap_words(name if not name.isdigit() else f"layer_{name}")
        scope = Scope(
            class_name,
            "group",
            place,
            layer.description,
            {},
            dict.fromkeys(outside),
            chain=chain,
            parent=self.scope,
            declared=tuple(layer.outputs or ("output",)),
        )
        builder = ScopeBuilder(scope, layer.layers, self.targets, self.report, self)
        builder.build(layer.outputs)
        values = {
            **outside,
            **{k: v for k, v in builder.free.items() if k not in outside},
        }
        inputs = {
            port: found
            for port, value in values.items()
            if (found := self._value(value, Place(place.document, value.path)))
        }
        return Node(name, layer, place, scope, {}, dict(inputs))

    def _outputs(self, outputs: Mapping[str, str] | None, last: str) -> None:
        if outputs is None:
            self.scope.outputs = {
                "output": Ref(last, "", self.scope.place.at("layers", last).path)
            }
            return
        for name, text in outputs.items():
            place = self.scope.place.at("outputs", name)
            found = self._value(ref_of(text, place), place)
            if found is not None:
                self.scope.outputs[name] = found


def _several(value: Ref | tuple[Ref, ...]) -> Iterable[Ref]:
    return value if isinstance(value, tuple) else (value,)


def _first(value: Ref | tuple[Ref, ...]) -> Ref:
    return value[0] if isinstance(value, tuple) else value
