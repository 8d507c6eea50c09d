"""Scopes and their layers as a diagram shows them: one view for all instances drawn in one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property

from compiler.dataclass import dataclass
from compiler.ir.graph import Alternatives, Node, OpParam, Ref, Scope
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.op.op import Op

PortRefs = tuple[tuple[str, Ref], ...]
"""Pairs of a port and the value that is connected to it."""

MAX_LAYERS = 120
"""Layers of one scope, or inputs of a network, that are all drawn; of more, the middle is elided."""
END_LAYERS = 16
"""Layers that are drawn at each end of such a scope."""
_MAX_WIRES = 480  # inputs of the layers of one scope; a scope with more of them is too dense to read
_MAX_OPTIONAL = 24  # layers of one scope that are in some copies only; likewise
_DENSE_END_LAYERS = 5  # layers that are drawn at each end of such a scope


@dataclass(frozen=True, eq=False)
class LayerView:
    """A layer of a scope, as all instances drawn in one place have it."""

    node: Node
    uses: tuple[tuple[Instance, TypedNode], ...]
    """The layer in each instance that could be typed."""
    partly_untyped: bool
    """Whether some instances have no types for the layer, because of errors."""

    @cached_property
    def active_uses(self) -> tuple[tuple[Instance, TypedNode], ...]:
        """The instances in which the layer runs."""
        return tuple(use for use in self.uses if use[1].calls)

    @cached_property
    def inactive(self) -> bool:
        """Whether the layer runs in no instance, and passes a value on in all."""
        return bool(self.uses) and not self.partly_untyped and not self.active_uses

    @property
    def optional(self) -> bool:
        """Whether the layer runs in some instances only, or may do so."""
        if not self.uses:
            return self.node.layer.when is not None
        return 0 < len(self.active_uses) < len(self.uses)

    @property
    def target(self) -> type[Op] | Scope | None:
        """What the layer runs; None if it is several things, or a param of type `op` could not be resolved."""
        if len(self.targets) > 1:
            return None
        for one in self.targets:
            return one
        target = self.node.each[0].target
        return None if isinstance(target, OpParam | Alternatives) else target

    @cached_property
    def targets(self) -> tuple[type[Op] | Scope, ...]:
        """What the layer runs in the instances, each once."""
        uses = self.active_uses or self.uses
        return tuple(dict.fromkeys(typed.target for _, typed in uses))

    @property
    def scope(self) -> Scope | None:
        """The block or group that the layer runs; None for an op."""
        return self.target if isinstance(self.target, Scope) else None

    @property
    def ties(self) -> Mapping[str, str]:
        """The layer's tied tensors, each with the path of the other tensor, over all instances."""
        if not self.uses:
            return self.node.layer.tie.tensors if self.node.layer.tie else {}
        return {k: path for _, typed in self.uses for k, path in typed.ties.items()}

    @property
    def calls(self) -> Iterator[tuple[Instance, TypedNode, LayerCall]]:
        """Every distinct run."""
        for instance, typed in self.active_uses:
            for call in typed.calls:
                yield instance, typed, call

    @cached_property
    def refs(self) -> PortRefs:
        """The layer's inputs by port, those of a variadic port one by one, then its carried states."""
        uses = self.active_uses or self.uses
        return input_refs(self.node, uses[0][1] if uses else None)


def input_refs(node: Node, typed: TypedNode | None) -> PortRefs:
    """The inputs of a layer by port, as one instance has them; as written if it has no types for the layer.

    A list that is written as a whole is one value.
    """
    inputs = node.each[0].inputs if typed is None else typed.inputs
    refs = [(port, ref) for port, value in inputs.items() for ref in _values(value)]
    states = ((port, carry.ref) for port, carry in node.carry.items())
    return (*refs, *((port, ref) for port, ref in states if ref is not None))


def _values(value: Ref | tuple[Ref, ...]) -> Iterator[Ref]:
    """The values at a port, with a list that is written as a whole in place of its items."""
    for ref in _refs(value):
        if not ref.of_list or ref.item is None:
            yield ref
        elif ref.item[1] == 0:
            yield Ref(ref.node, ref.item[0], ref.path)


def _refs(value: Ref | tuple[Ref, ...]) -> tuple[Ref, ...]:
    """The values at a port, variadic or not."""
    return value if isinstance(value, tuple) else (value,)


@dataclass(frozen=True, eq=False, slots=True)
class Wire:
    """A value at an input of a layer, or at an output of a scope, in some of a view's instances."""

    port: str
    written: Ref
    """The value as the spec names it."""
    source: Ref
    """The value itself, which layers that are off have passed on: a layer's output, or an input of the scope."""
    cases: list[int]
    """The instances, by their numbers in the view's `cases`."""
    instead: Node | None = None
    """The layer that it is the `else` of: it takes its place where inputs of the network are absent."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Where an instance of an expanded block runs: in a case of the view around it, as one of the layer's calls."""

    case: int
    call: int


@dataclass(eq=False)
class ScopeView:
    """A scope in one place of the diagram. `children` are the views of its expanded layers.

    A repeated block is drawn once for all its copies: `instances` holds the distinct
    instances, with the number of copies of each.
    """

    scope: Scope
    instances: Mapping[Instance, int]
    name: str = ""
    """The name of the network, or of the layer that this is the inside of."""
    parent: ScopeView | None = None
    whole: bool = False
    """Whether all layers are drawn, however many, here and in views of what they run."""
    children: dict[str, ScopeView] = field(default_factory=dict)
    _layers: dict[str, LayerView] = field(default_factory=dict)
    _wires: dict[str, tuple[Wire, ...]] = field(default_factory=dict)
    _passed: dict[tuple[int, str], Ref | None] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """How many views are around this one."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def root(self) -> ScopeView:
        """The outermost view: a network, or the block that is drawn alone."""
        return self if self.parent is None else self.parent.root

    @property
    def path(self) -> tuple[str, ...]:
        """The names of the layers that lead here from the root."""
        return () if self.parent is None else (*self.parent.path, self.name)

    @cached_property
    def cases(self) -> tuple[Instance | None, ...]:
        """The distinct instances; None alone, for what the spec declares, if there are none."""
        return tuple(self.instances) or (None,)

    @cached_property
    def _numbers(self) -> Mapping[Instance, int]:
        return {instance: number for number, instance in enumerate(self.instances)}

    def number(self, instance: Instance) -> int:
        """The number of an instance in `cases`."""
        return self._numbers[instance]

    @cached_property
    def copies(self) -> tuple[int, ...]:
        """The number of copies of each case."""
        return tuple(self.instances.values()) or (1,)

    @property
    def is_scan(self) -> bool:
        """Whether it is the inside of a scan."""
        if self.parent is None:
            return False
        return self.parent.scope.nodes[self.name].layer.scan is not None

    def layer(self, name: str) -> LayerView:
        """The view of a layer of this scope."""
        found = self._layers.get(name)
        if found is None:
            uses = [instance for instance in self.instances if name in instance.nodes]
            found = self._layers[name] = LayerView(
                self.scope.nodes[name],
                tuple((instance, instance.nodes[name]) for instance in uses),
                len(uses) < len(self.instances),
            )
        return found

    def is_input(self, name: str) -> bool:
        """Whether a name is an input of the scope and not a layer."""
        return name in self.scope.inputs and name not in self.scope.nodes

    def typed(self, case: int, name: str) -> TypedNode | None:
        """A layer in one case; None if it has no types there."""
        instance = self.cases[case]
        return None if instance is None else instance.nodes.get(name)

    def runs(self, case: int, name: str) -> bool:
        """Whether a layer runs in a case; one without types is taken to run."""
        typed = self.typed(case, name)
        return typed is None or bool(typed.calls)

    @cached_property
    def all_cases(self) -> frozenset[int]:
        """The numbers of all cases."""
        return frozenset(range(len(self.cases)))

    def active_cases(self, name: str) -> frozenset[int]:
        """The cases in which a layer runs."""
        if not self.layer(name).optional:
            return self.all_cases
        return frozenset(case for case in self.all_cases if self.runs(case, name))

    def input_cases(self, name: str) -> frozenset[int]:
        """The cases in which an input has a value; an optional one may have none."""
        return frozenset(
            case
            for case, instance in enumerate(self.cases)
            if instance is None or instance.inputs.get(name) is not None
        )

    def resolve(self, case: int, ref: Ref) -> Ref | None:
        """The value behind layers that are off, in one case; None if there is no value."""
        while not self.is_input(ref.node):
            if ref.node not in self.scope.nodes:
                return None
            if self.runs(case, ref.node):
                return ref
            passed = self._passes(case, ref.node)
            if passed is None:
                return None
            ref = passed
        instance = self.cases[case]
        absent = instance is not None and instance.inputs.get(ref.node) is None
        return None if absent else ref

    def _passes(self, case: int, name: str) -> Ref | None:
        """The value that a layer passes on where it is off, behind other such layers as well."""
        steps: list[str] = []
        found: Ref | None = None
        while True:
            steps.append(name)
            if (case, name) in self._passed:
                found = self._passed[case, name]
                break
            typed = self.typed(case, name)
            assert typed is not None, name
            found = typed.node.otherwise or _first(typed.inputs.values())
            if found is None or found.node not in self.scope.nodes:
                break
            if self.runs(case, found.node):
                break
            name = found.node
        self._passed |= dict.fromkeys(((case, step) for step in steps), found)
        return found

    def wires(self, name: str) -> tuple[Wire, ...]:
        """What feeds a layer, over all cases in which it runs."""
        found = self._wires.get(name)
        if found is None:
            found = self._wires[name] = self._joined(
                (case, self._inputs(case, name))
                for case in range(len(self.cases))
                if self.runs(case, name)
            )
        return found

    def _inputs(self, case: int, name: str) -> PortRefs:
        """The inputs of a layer in a case; without ports where these are of one of the things that it is."""
        refs = input_refs(self.scope.nodes[name], self.typed(case, name))
        if len(self.layer(name).targets) < 2:
            return refs
        return tuple(("", ref) for _, ref in refs)

    @cached_property
    def output_wires(self) -> tuple[Wire, ...]:
        """What the outputs of the scope are, over all cases."""
        outputs = tuple(self.scope.outputs.items())
        return self._joined((case, outputs) for case in range(len(self.cases)))

    def _joined(self, refs: Iterable[tuple[int, PortRefs]]) -> tuple[Wire, ...]:
        wires: dict[tuple[str, str, str, str], Wire] = {}
        for case, pairs in refs:
            for port, ref in pairs:
                known = ref.node in self._always
                source = ref if known else self.resolve(case, ref)
                for one, instead in self.each_way(case, source):
                    name = "" if instead is None else instead.name
                    key = port, one.node, one.port, name
                    wire = wires.get(key)
                    if wire is None:
                        wire = wires[key] = Wire(port, ref, one, [], instead)
                    if wire.cases[-1:] != [case]:
                        wire.cases.append(case)
        return tuple(wires.values())

    def each_way(
        self, case: int, source: Ref | None
    ) -> Iterator[tuple[Ref, Node | None]]:
        """A value, and those that take its place, each with the layer that is off then."""
        instead: Node | None = None
        while source is not None:
            yield source, instead
            typed = self.typed(case, source.node)
            if typed is None or len(typed.outcomes) < 2:
                return
            other, taken = typed.node.otherwise, typed.inputs.values()
            if other is None or any(other in _refs(value) for value in taken):
                return  # there is an arrow from it to the layer
            source, instead = self.resolve(case, other), typed.node

    @cached_property
    def _always(self) -> frozenset[str]:
        """The layers that run in all cases."""
        layers = map(self.layer, self.active_layers)
        return frozenset(one.node.name for one in layers if not one.optional)

    def first_source(self, name: str) -> Ref | None:
        """The value at the first input of a layer, in the first case in which it runs."""
        if name in self._always and name not in self._wires:
            refs = self.layer(name).refs
            return self.resolve(0, refs[0][1]) if refs else None
        wires = self.wires(name)
        return wires[0].source if wires else None

    def sources(self, name: str) -> PortRefs:
        """The values at the inputs of a layer by port, over all cases."""
        wires = self.wires(name)
        return tuple((one.port, one.source) for one in wires if one.instead is None)

    @property
    def outputs(self) -> PortRefs:
        """The values of the outputs of the scope, over all cases."""
        wires = self.output_wires
        return tuple((one.port, one.source) for one in wires if one.instead is None)

    @property
    def leaving(self) -> PortRefs:
        """The outputs as they leave the scope: of a repeat, those of the last copy."""
        found = [
            (wire.port, wire.source)
            for wire in self.output_wires
            if wire.instead is None and not self._last_cases.isdisjoint(wire.cases)
        ]
        passed_on = all(self.is_input(ref.node) for _, ref in found)
        return self.outputs if passed_on else tuple(found)

    @cached_property
    def _last_cases(self) -> frozenset[int]:
        """The cases of the last copies, in the last copies of what is around."""
        if self.parent is None:
            return self.all_cases
        runs = (
            typed.calls[-1].instance
            for case in self.parent._last_cases
            if (typed := self.parent.typed(case, self.name)) and typed.calls
        )
        return frozenset(self.number(run) for run in runs if run) or self.all_cases

    @cached_property
    def users(self) -> Mapping[str, tuple[str, ...]]:
        """The layers that use each input of the scope; an output that is an input counts as a layer `output.`."""
        users: dict[str, dict[str, None]] = {name: {} for name in self.scope.inputs}
        for name in self.active_layers:
            for _, ref in self.sources(name):
                if self.is_input(ref.node):
                    users[ref.node][name] = None
        for output, ref in self.outputs:
            if self.is_input(ref.node):
                users[ref.node][f"{output}."] = None
        return {name: tuple(found) for name, found in users.items()}

    @cached_property
    def active_layers(self) -> tuple[str, ...]:
        """The layers that run in some case."""
        return tuple(name for name in self.scope.nodes if not self.layer(name).inactive)

    @cached_property
    def visible_layers(self) -> tuple[str, ...]:
        """The layers that are drawn: those that run, and of a long scope those at its ends."""
        if not self.elided_layers:
            return self.active_layers
        end = self.end_layers
        return (*self.active_layers[:end], *self.active_layers[-end:])

    @cached_property
    def elided_layers(self) -> tuple[str, ...]:
        """The layers in the middle of a long scope, which are not drawn."""
        end = 0 if self.whole else self.end_layers
        return self.active_layers[end:-end] if end else ()

    @cached_property
    def end_layers(self) -> int:
        """How many layers are drawn at each end of a scope that is not drawn whole; 0 if it is."""
        names = self.active_layers
        end = END_LAYERS if len(names) > MAX_LAYERS else 0
        drawn = (*names[:end], *names[-end:]) if end else names
        wires = sum(
            ref.node in self.scope.nodes
            for name in drawn
            for _, ref in self.sources(name)
        )
        optional = sum(self.layer(name).optional for name in drawn)
        dense = wires > _MAX_WIRES or optional > _MAX_OPTIONAL
        if dense and len(names) > 2 * _DENSE_END_LAYERS:
            return _DENSE_END_LAYERS
        return end

    @cached_property
    def callers(self) -> tuple[tuple[Caller, ...], ...]:
        """Where each case runs; nowhere for a network, or a block that is drawn alone."""
        found: list[list[Caller]] = [[] for _ in self.cases]
        if self.parent is None:
            return tuple(map(tuple, found))
        for case in range(len(self.parent.cases)):
            typed = self.parent.typed(case, self.name)
            calls = typed.calls if typed is not None else ()
            for number, call in enumerate(calls):
                if call.instance is not None:
                    found[self.number(call.instance)].append(Caller(case, number))
            if typed is None and not self.instances:
                found[0].append(Caller(case, 0))
        return tuple(map(tuple, found))

    def openable(self, name: str) -> ScopeView | None:
        """The inside of a block or group in which something runs, to draw in a frame; None of any other layer."""
        layer = self.layer(name)
        if layer.scope is None or layer.inactive:
            return None
        inside = self.inside(name)
        return inside if inside.active_layers else None

    def inside(self, name: str) -> ScopeView:
        """A new view of the block or group that a layer runs; it is not added to `children`."""
        layer = self.layer(name)
        assert layer.scope is not None, name
        counts: dict[Instance, int] = {}
        for instance, copies in self.instances.items():
            typed = instance.nodes.get(name)
            for call in typed.calls if typed is not None else ():
                if call.instance is not None:
                    before = counts.get(call.instance, 0)
                    counts[call.instance] = before + copies * call.count
        return ScopeView(layer.scope, counts, name, self, self.whole)

    def walk(self) -> Iterator[ScopeView]:
        """The view itself and all expanded ones in it, outer ones first."""
        yield self
        for child in self.children.values():
            yield from child.walk()


def elided(names: Sequence[str]) -> Sequence[str]:
    """Of many names, those in the middle."""
    return names[END_LAYERS:-END_LAYERS] if len(names) > MAX_LAYERS else ()


def _first(inputs: Iterable[Ref | tuple[Ref, ...]]) -> Ref | None:
    """The first value of the first input."""
    return next((ref for value in inputs for ref in _refs(value)), None)
