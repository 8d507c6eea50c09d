"""Build a scope: layers are bound to targets, inputs to values, and layers are ordered for execution."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from compiler.diagnostics import suggestions
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.replacement import did_you_mean
from compiler.diagnostics.text import listed, shorten
from compiler.elaborate.check_given import check_given
from compiler.elaborate.check_names import check_names, check_sizes, formulas
from compiler.elaborate.targets import (
    Targets,
    bind_arguments,
    is_item,
    output_ports,
)
from compiler.elaborate.toposort import in_order
from compiler.elaborate.wiring import (
    EXPERTS,
    WEIGHTS,
    Ports,
    is_routed,
    parse_carry,
    read_inputs,
    ref_of,
    with_routing,
)
from compiler.expr.syntax import Given, names_in
from compiler.ir.graph import (
    NOTHING,
    Alternatives,
    Carry,
    Node,
    OpParam,
    Place,
    Ref,
    Scope,
)
from compiler.language.identifiers import cap_words
from compiler.language.layers import NULL, OPTIONAL, Layer
from compiler.language.params import Param
from compiler.op.op import Op, Port
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.tensor import TypePattern


class ScopeBuilder:
    """Makes one scope. A group's builder asks the builder around it for names that it does not know itself.

    Scopes refer to one another, and a block may refer to itself. So a builder has its
    scope from the first: a read-only view of what the builder fills, whose layers and
    outputs appear once, at the end of `build`.
    """

    def __init__(
        self,
        name: str,
        kind: Literal["network", "block", "group"],
        place: Place,
        layers: Mapping[str, Layer],
        report: Report,
        *,
        inputs: Mapping[str, TypePattern | None],
        description: str = "",
        params: Mapping[str, Param] | None = None,
        outputs: Mapping[str, str] | None = None,
        outer: ScopeBuilder | None = None,
    ) -> None:
        self.layers, self.report, self.outer = layers, report, outer
        self.inputs, self.outputs = dict(inputs), outputs
        self.nodes: dict[str, Node] = {}
        """The layers so far, as they are written."""
        self.groups: list[ScopeBuilder] = []
        """Those of its groups."""
        self.free: dict[str, Ref] = {}
        """Values of the scope around a group that its layers use."""
        self._in_order: dict[str, Node] = {}
        self._outputs: dict[str, Ref] = {}
        named = () if outputs is None else outputs.items()
        self.scope: Scope = Scope(
            name,
            kind,
            place,
            description,
            params or {},
            MappingProxyType(self.inputs),
            MappingProxyType(self._in_order),
            MappingProxyType(self._outputs),
            chain=kind == "group" and all(key.isdigit() for key in layers),
            parent=outer.scope if outer else None,
            declared=tuple(self.outputs or ("output",)),
            optional=frozenset(n for n, text in named if text.endswith(OPTIONAL)),
        )

    def build(self, targets: Targets) -> Scope:
        """Bind all layers, then the outputs; order them."""
        self.targets = targets
        previous = next(iter(self.inputs), "")
        for name, layer in self.layers.items():
            if name in self.inputs:
                message = f"{name} is already an input of {self.scope.name}"
                span = self._place(name).span(key=True)
                declared = self.scope.place.span("inputs", name, key=True)
                related = ((declared, "the input"),)
                self.report.error("duplicate-name", span, message, related=related)
            node = self._node(name, layer, self._place(name), previous)
            if node is not None:
                self.nodes[name] = node
            previous = name
        self._outputs.update(self._bound(previous))
        self._in_order.update(in_order(self.inputs, self.nodes, self.report))
        return self.scope

    def drop_outputs(self, names: Iterable[str]) -> None:
        """Drop outputs that nothing reads."""
        for name in list(names):
            del self._outputs[name]

    def resolve(self, ref: Ref, place: Place) -> Ref | None:
        """The value that a name refers to; a group looks up unknown names in the scope around it."""
        known = self.knows(ref.node)
        if not known and self.outer is not None and self.outer.reaches(ref.node):
            self.free[ref.node] = Ref(ref.node, "", ref.path)
            self.inputs[ref.node] = None
            known = True
        if not known:
            message = (
                f"there is no layer or input {shorten(ref.node)} in {self.scope.name}"
            )
            help = suggestions.of_input(ref.node, [*self.candidates()])
            if ref.node == "self" and self.knows(ref.port):
                help = did_you_mean("self", ref.port)
            help = help or self.report.like(ref.node, self.candidates())
            if not help and not self.report.full:
                help = f"known here: {listed(self.candidates())}"
            if re.search(r"\w\s*[-+*/@(]", ref.node):
                help = "a sum is a layer of its own: {op: add, in: [x, y]}"
            self.report.error(
                "unknown-layer", place.span(), message, help=help, missing=ref.node
            )
            return None
        return ref

    def knows(self, name: str) -> bool:
        """Whether a name is an input or a layer of this scope itself."""
        return name in self.layers or name in self.inputs

    def reaches(self, name: str) -> bool:
        """Whether a name has a value here or in a scope around a group."""
        return self.knows(name) or (self.outer is not None and self.outer.reaches(name))

    def candidates(self) -> Iterator[str]:
        """All names that have a value here."""
        yield from self.layers
        yield from self.inputs
        yield from self.outer.candidates() if self.outer else ()

    def _place(self, name: str) -> Place:
        """Where a layer is written; the layers of a list have numbers."""
        step: str | int = int(name) if name.isdigit() else name
        return self.scope.place.at("layers", step)

    def _node(
        self, name: str, layer: Layer, place: Place, previous: str
    ) -> Node | None:
        if layer.share is not None:
            return self._again(name, layer, place, previous)
        if layer.choose is not None:
            return self._choice(name, layer, place, previous)
        if layer.layers is not None:
            return self._group(name, layer, place, previous)
        assert layer.op is not None
        target = self.targets.find(layer.op, self.scope.environment, place, self.report)
        if target is None:
            return None
        arguments = bind_arguments(target, layer, place, self.report)
        self._check_formulas(layer, arguments, place)
        if isinstance(target, Scope):
            self._check_ops(target, arguments, place)
        if is_routed(layer) and not self._check_routed(layer, target, place):
            return None
        inputs, carry = self._inputs(layer, place, self._ports(target, layer), previous)
        other = self._otherwise(layer, place)
        self._check_source(layer, place, inputs, carry)
        if layer.when is not None and other is None and not isinstance(target, Scope):
            self._check_passed(place, self._ports(target, layer), inputs)
        return Node(
            name, layer, place, target, arguments, inputs, carry, otherwise=other
        )

    def _choice(
        self, name: str, layer: Layer, place: Place, previous: str
    ) -> Node | None:
        """A layer that may be one thing or another."""
        assert layer.choose is not None
        self._check_conditions(layer, place)
        found: list[Node] = []
        for number in range(len(layer.choose)):
            here = Place(place.document, place.at("choose", number).path, place.path)
            one = self._node(name, layer.as_alternative(number), here, previous)
            found += [one] if one is not None else []
        if len(found) < len(layer.choose):
            return None
        conditions = tuple(one.when for one in layer.choose)
        target = Alternatives(conditions, tuple(found))
        other = found[0].otherwise
        return Node(name, layer, place, target, {}, {}, otherwise=other)

    def _check_conditions(self, layer: Layer, place: Place) -> None:
        """The conditions of a choice use names of the scope; copies of one layer are all of one kind."""
        asked = Layer.model_construct(choose=layer.choose)
        for path, formula in formulas(asked, {}):
            if layer.repeat is not None and COUNTER in names_in(formula.expr):
                message = "the copies of one layer are alike: they cannot choose by i"
                help = "put it into a group or block that is repeated in its place"
                span = place.at(*path).span()
                self.report.error("bad-choice", span, message, help=help)
                return
        self._check_formulas(asked, {}, place)

    def _otherwise(self, layer: Layer, place: Place) -> Ref | None:
        """`else`: the value in place of a layer that is off."""
        if layer.otherwise is None:
            return None
        at = place.at("else")
        if layer.otherwise == NULL:
            if layer.repeat is not None:
                message = "the copies of a layer go on from one another: there is always a last value"
                help = "repeat the layer inside a group that has the `when`"
                self.report.error("bad-when", at.span(), message, help=help)
            return NOTHING
        return self._value(ref_of(layer.otherwise, at), at)

    def _check_formulas(
        self, layer: Layer, arguments: Mapping[str, object], place: Place
    ) -> None:
        """The formulas of a layer use names of the scope, and its condition asks for inputs that may be absent."""
        check_names(self.scope, layer, arguments, place, self.report)
        for one, at in check_given(layer, arguments, place, self.report):
            self._check_asked(one, at)

    def _check_asked(self, asked: Given, at: Place) -> None:
        name, span = asked.input, at.part(asked.start, asked.end)
        if not self.knows(name) and self.outer is not None and self.outer.reaches(name):
            self.resolve(
                Ref(name, "", at.path), at
            )  # an input of the group from now on
        if name in self.layers or name not in self.inputs:
            message = f"there is no input {shorten(name)} in {self.scope.name}"
            help = self.report.like(name, self.inputs)
            if name in self.layers:
                message = f"{name} is a layer, and `given` asks for an input"
                help = "a layer has a value where its own condition holds"
            missing = "" if name in self.layers else name
            self.report.error("bad-when", span, message, help=help, missing=missing)
        elif (kind := self.inputs[name]) is not None and not kind.optional:
            message = f"{name} is always given"
            help = (
                f"the type of an input that may be absent ends in `?`: {name}: {kind}?"
            )
            self.report.error("bad-when", span, message, help=help)

    def _check_source(
        self,
        layer: Layer,
        place: Place,
        inputs: Mapping[str, object],
        carry: Mapping[str, object],
    ) -> None:
        """A layer without inputs has nothing to pass on, and no chain of copies."""
        if inputs or carry or self.report.failed:
            return
        if layer.when is not None and layer.otherwise is None:
            message = "where `when` is false there is no input to pass on"
            help = "name the value that takes its place: else: x"
            self.report.error("bad-when", place.span("when"), message, help=help)
        if layer.repeat is not None:
            message = "the layer takes no input, so its copies make no chain"
            self.report.error("bad-repeat", place.span("repeat"), message)

    def _check_routed(
        self, layer: Layer, target: type[Op] | Scope | OpParam, place: Place
    ) -> bool:
        """Routed copies are those of a block, and their ports are not those of the routing."""
        message = help = ""
        span = place.at("repeat").span("routed", key=True)
        if layer.when is not None:
            span = place.span("when", key=True)
            message = "routed copies always run: without them a token has no output"
            help = "put them into a group or block that has the `when`"
        elif isinstance(target, Scope):
            taken = [one for one in (EXPERTS, WEIGHTS) if one in target.inputs]
            if taken:
                message = f"the routing gives each token its {taken[0]}, and {target.name} has an input of that name"
                help = f"give the input of {target.name} another name"
            elif not target.inputs:
                message = f"an expert takes tokens, and {target.name} has no input"
        elif not isinstance(target, OpParam):
            message = f"routed copies are those of a block, and {target.name} is an op"
            help = "write the expert as a block, whose input is float[N, D]"
        if message:
            self.report.error("bad-repeat", span, message, help=help)
        return not message

    def _check_passed(
        self, place: Place, ports: Ports, inputs: Mapping[str, Ref | tuple[Ref, ...]]
    ) -> None:
        """An op that merges values should say which of them takes its place."""
        needed = [port.name for port in ports or () if not port.optional]
        refs = [ref for port in needed for ref in _several(inputs.get(port, ()))]
        values = dict.fromkeys(map(str, refs))
        if len(values) > 1:
            first = next(iter(values))
            message = f"where `when` is false, this is {first}, the first of {len(values)} inputs"
            help = f"name the value that takes its place: else: {first}"
            self.report.warning("implicit-else", place.span("when"), message, help=help)

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
            ports = tuple(
                Port(name, optional=bool(kind and kind.optional))
                for name, kind in target.inputs.items()
                if name not in carried
            )
            return with_routing(ports) if is_routed(layer) else ports
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
        node = self.nodes.get(found.node)
        ports = output_ports(node) if node and not is_item(node, found) else None
        if ports is not None and found.port not in ports:
            message = f"{found.node} has no output {found.port}"
            help = (
                suggestions.of_list(found.node, found.port, ports)
                or self.report.like(found.port, ports)
                or f"it gives {listed(ports)}"
            )
            self.report.error("unknown-port", place.span(), message, help=help)
            return None
        if node is None and found.node in self.inputs and found.node not in self.layers:
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
        origin = self.nodes.get(layer.share or "")
        if origin is None:
            message = (
                f"there is no layer {layer.share} above this one in {self.scope.name}"
            )
            name = layer.share or ""
            help, span = self.report.like(name, self.nodes), place.span("share")
            self.report.error("bad-share", span, message, help=help, missing=name)
            return None
        extra = next(iter(layer.arguments), None)
        if extra is not None:
            message = f"a shared layer has the arguments of {layer.share}; {extra} cannot be set again"
            self.report.error("bad-share", place.span(extra, key=True), message)
        found = [self._shared(name, layer, place, previous, one) for one in origin.each]
        if not isinstance(origin.target, Alternatives):
            return found[0]
        target = replace(origin.target, nodes=tuple(found))
        return replace(found[0], target=target, arguments={}, inputs={}, carry={})

    def _shared(
        self, name: str, layer: Layer, place: Place, previous: str, origin: Node
    ) -> Node:
        """The run of a layer again, where it is this."""
        assert not isinstance(origin.target, Alternatives)
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
            otherwise=origin.otherwise,
        )

    def _group(
        self, name: str, layer: Layer, place: Place, previous: str
    ) -> Node | None:
        assert layer.layers is not None
        if is_routed(layer):
            message = "routed copies are those of a block, and this is a group"
            help = "write the expert as a block, whose input is float[N, D]"
            span = place.at("repeat").span("routed", key=True)
            self.report.error("bad-repeat", span, message, help=help)
            return None
        for key in layer.arguments:
            self.report.error(
                "unknown-key",
                place.span(key, key=True),
                f"a group has no arguments, so no {key}",
            )
        self._check_formulas(layer, {}, place)
        given = read_inputs(layer, place, None, previous, self.report)
        outside: dict[str, Ref] = {}
        for port, value in given.items():
            ref = _first(value)
            inner = ref.node if port.isdigit() else port
            if inner.isdigit():  # it would be taken for a layer of the group
                inner = f"layer_{inner}"
            if isinstance(value, tuple) or outside.get(inner, ref) != ref:
                message = f"two values go by the name {inner} inside the group"
                help = "name each: in: {a: x.first, b: x.second}"
                span = place.document.locate(ref.path)
                self.report.error("duplicate-name", span, message, help=help)
            outside[inner] = ref
        builder = ScopeBuilder(
            cap_words(name if not name.isdigit() else f"layer_{name}"),
            "group",
            place,
            layer.layers,
            self.report,
            inputs=dict.fromkeys(outside),
            description=layer.description,
            outputs=layer.outputs,
            outer=self,
        )
        self.groups.append(builder)
        scope = builder.build(self.targets)
        values = {
            **outside,
            **{k: v for k, v in builder.free.items() if k not in outside},
        }
        inputs = {
            port: found
            for port, value in values.items()
            if (found := self._value(value, Place(place.document, value.path)))
        }
        other = self._otherwise(layer, place)
        return Node(name, layer, place, scope, {}, dict(inputs), otherwise=other)

    def _bound(self, last: str) -> dict[str, Ref]:
        """The outputs as values: without any, that of the last layer."""
        if self.outputs is None:
            path = self._place(last).path
            return {"output": Ref(last, "", path)}
        found: dict[str, Ref] = {}
        for name, text in self.outputs.items():
            place = self.scope.place.at("outputs", name)
            value = self._value(ref_of(text.removesuffix(OPTIONAL), place), place)
            if (
                name in self.scope.optional
                and not found
                and self.scope.kind != "network"
            ):
                message = f"{name} is the first output, by which a layer is called: it is always given"
                help = "a layer that may be absent has `when`, and else: null"
                self.report.error("bad-when", place.span(), message, help=help)
            if value is not None:
                found[name] = value
        return found


def _several(value: Ref | tuple[Ref, ...]) -> Iterable[Ref]:
    return value if isinstance(value, tuple) else (value,)


def _first(value: Ref | tuple[Ref, ...]) -> Ref:
    return value[0] if isinstance(value, tuple) else value
