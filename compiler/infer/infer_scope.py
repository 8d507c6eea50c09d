"""Inferring the layers of one scope, in order; a mistake in one leaves those that need it without a type."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeVar

from compiler.dataclass import replace
from compiler.diagnostics.diagnostic import InstancePath
from compiler.elaborate.targets import op_span
from compiler.elaborate.wiring import is_routed
from compiler.infer.absence import (
    check_absence,
    check_asked,
    check_outputs,
    check_repeated_outputs,
    takes_none,
)
from compiler.infer.bind_call import bind_params, bind_symbols, renamed
from compiler.infer.call_op import call_op, parametrized
from compiler.infer.closed_form import by_count
from compiler.infer.collect_lists import NO_LISTS, Collector, Lists
from compiler.infer.engine import BlockKey, Engine, Skip, endless
from compiler.infer.input_types import InputTypes
from compiler.infer.instances import (
    Inputs,
    InstanceBuilder,
    as_values,
    block_instance,
    block_params,
    group_instance,
    single_types,
)
from compiler.infer.layer_conditions import LayerConditions
from compiler.infer.match_inputs import Matcher
from compiler.infer.open_inputs import open_inputs
from compiler.infer.rebind import Unfit, rebound
from compiler.infer.repeats import chain, uses_counter
from compiler.infer.resolve import resolve
from compiler.infer.resolved_layer import ResolvedLayer
from compiler.infer.roots import root_instance
from compiler.infer.routed_copies import run_routed
from compiler.infer.run_copies import run_copies
from compiler.infer.scans import run_scan
from compiler.infer.speculate import further_runs, named_as, quietly, speculating
from compiler.infer.stacks import stacked
from compiler.infer.take_lists import ListInputs
from compiler.ir.graph import Node, Scope
from compiler.ir.typed import Instance, LayerCall, TypedNode, Types, hashable
from compiler.language.parametrizations import refuse
from compiler.op.binding import BindingError
from compiler.op.context import Context
from compiler.op.errors import OpError, nothing_to_pass_on
from compiler.symbolic.dims import Dim, DimOverflow
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbol_table import COUNTER, SymbolTable
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.tensor import TensorType

Found = TypeVar("Found")


def infer_network(
    engine: Engine,
    scope: Scope,
    params: Mapping[str, Value],
    given: frozenset[str],
    absent: frozenset[str] = frozenset(),
) -> Instance:
    """Infer a network: the symbols of its inputs are what everything else is said in.

    `given` are the params that a variant or a setting gives a value, `absent` the optional inputs that it is without.
    """
    root = root_instance(
        scope, params, engine.domain, engine.report, given, absent, engine.asks_given
    )
    path = InstancePath((scope.name,), (None,))
    return ScopeInference(engine, root, path, 0).run()


class ScopeInference:
    """The inference of one instance of a scope.

    `path` leads to it, for diagnostics: `ResNet.layer2[0]`.
    """

    def __init__(
        self, engine: Engine, instance: InstanceBuilder, path: InstancePath, depth: int
    ) -> None:
        self.engine, self.instance, self.path = engine, instance, path
        self.depth = depth
        self.report = engine.report
        self.context = instance.context
        self.lists = ListInputs(engine, instance, path)
        self.inputs = InputTypes(engine, instance, self.lists, path, network=depth == 0)
        self.conditions = LayerConditions(engine, instance, path)

    def run(self) -> Instance:
        """Infer every layer, then the outputs."""
        scope, sound = self.instance.scope, self.engine.facts.sound_scopes
        if scope not in sound:
            right = check_outputs(scope, self.report)
            if check_asked(scope, self.report) and right:
                sound.add(scope)
        for node in scope.nodes.values():
            try:
                self.instance.nodes[node.name] = self._layer(node)
            except Skip:
                continue
        self._give_outputs()
        return self.instance.freeze()

    def _give_outputs(self) -> None:
        instance = self.instance
        scope = instance.scope
        for name, ref in scope.outputs.items():
            kind = None if self.lists.is_unnamed(ref) else instance.type_of(ref)
            if kind is not None:
                instance.outputs[name] = kind
            elif name in scope.optional and self.inputs.is_absent(ref):
                continue
            elif self.inputs.is_absent(ref):
                message = f"the output {name} is an optional input, left out here"
                span = scope.place.document.locate(ref.path)
                self.report.error("missing-input", span, message, path=self.path)
            else:
                self.inputs.check_port(scope.place, ref, self.path)

    def _layer(self, written: Node) -> TypedNode:
        """What a layer is, whether it runs, on which types, and what it gives."""
        self.context.layer = None
        layer = self._resolved(written)
        node, conditions = layer.node, self.conditions
        active, ties = conditions.runs(node), conditions.ties(node)
        outcomes = conditions.outcomes(node)
        types = self.inputs.of(layer, active)
        other = node.otherwise
        if other is not None and self.lists.copies_of(other) is not None:
            self.inputs.needed(node, other)  # reports it, also where the layer runs
        count = conditions.count(node) if active else 0
        self.lists.check_each(layer, count)
        if count == 0:
            off = self._passed_on(layer, types, active, ties)
            idle = self._idle(layer, types, outcomes)
            return replace(off, outcomes=outcomes, idle=idle)
        self.context.layer = node
        if node.layer.scan is not None:
            found = self._reported(layer, lambda: self._scan(layer, types))
            return replace(found, outcomes=outcomes)
        if is_routed(node.layer):
            found = self._reported(
                layer,
                lambda: run_routed(layer, types, count, self.instance, self._call),
            )
            return replace(found, outcomes=outcomes)
        return self._in_copies(layer, types, count, ties, outcomes)

    def _in_copies(
        self,
        layer: ResolvedLayer,
        types: Types,
        count: int,
        ties: Mapping[str, str],
        outcomes: frozenset[bool],
    ) -> TypedNode:
        """A layer that runs once, or in copies one after another."""
        node = layer.node
        calls = self._reported(layer, lambda: self._tolerant(layer, types, count))
        self.context.layer = None
        speculative = self._speculate(layer, types, calls)
        lists = self._lists(node, calls)
        outputs = self._outputs(node, calls, speculative)
        return TypedNode(
            node,
            layer.target,
            layer.refs,
            calls,
            {**outputs, **lists.items},
            layer.arguments,
            speculative=speculative,
            ties=ties,
            lists=lists.copies,
            each=layer.each,
            outcomes=outcomes,
        )

    def _resolved(self, written: Node) -> ResolvedLayer:
        """A layer with its target and what it takes.

        Raises:
            Skip: where what it takes may be absent and is needed, or its outputs are and it is repeated.
        """
        node, sound = self.conditions.choose(written), self.engine.facts.sound_layers
        resolved = resolve(node, self.instance, self.engine)
        layer = self.lists.with_items(resolved)
        if layer is resolved and (node, layer.target) in sound:
            return layer
        scope, report = self.instance.scope, self.report
        right = check_repeated_outputs(node, layer.target, report)
        if (
            not check_absence(scope, node, layer.target, layer.refs, report)
            or not right
        ):
            raise Skip
        if layer is resolved:
            sound.add((node, layer.target))
        return layer

    def _reported(self, layer: ResolvedLayer, run: Callable[[], Found]) -> Found:
        """What a layer runs.

        Raises:
            Skip: where it is wrong, which is reported.
        """
        node = layer.node
        try:
            return run()
        except OpError as error:
            path = self.path.to(node.name)
            raise self.engine.skip(self.instance, node, error, path) from None
        except BindingError as error:
            for one in error.errors:
                span = one.span(node.place.document, node.place.path)
                path, help = self.path.to(node.name), one.help
                self.report.error(one.code, span, one.message, path=path, help=help)
            raise Skip from None
        except (DimOverflow, ZeroDivisionError) as error:
            message = f"a size cannot be computed: {error}"
            span = op_span(node.place)
            self.report.error("too-large", span, message, path=self.path.to(node.name))
            raise Skip from None

    def _lists(self, node: Node, calls: tuple[LayerCall, ...]) -> Lists:
        """What a layer collects of its copies."""
        repeat = node.layer.repeat
        if repeat is None or not repeat.collect:
            return NO_LISTS
        path, most = self.path.to(node.name), self.engine.limits.inputs
        found = Collector(node, calls, self.instance, self.report, path, most).lists()
        if len(found.copies) < len(repeat.collect):
            raise Skip
        return found

    def _outputs(
        self,
        node: Node,
        calls: tuple[LayerCall, ...],
        speculative: tuple[LayerCall, ...],
    ) -> dict[str, TensorType]:
        repeat = node.layer.repeat
        count = repeat.count if repeat is not None else None
        names = self.instance.names
        last = calls[-1].outputs
        if self.engine.speculates:  # else nobody asks what it is for other counts
            last = by_count(calls, speculative, count, names, self.context)
        path = self.path.to(node.name)
        return {**last, **stacked(node, calls, self.instance, self.report, path)}

    def _passed_on(
        self,
        layer: ResolvedLayer,
        types: Types,
        active: bool,
        ties: Mapping[str, str],
    ) -> TypedNode:
        """A layer that is switched off, or has no copies: its output is its `else`, or its first input."""
        speculative = self._speculate(layer, self.inputs.as_if_on(layer, types), ())
        if layer.node.may_be_absent and not active:
            return TypedNode(
                layer.node,
                layer.target,
                layer.refs,
                (),
                {},
                layer.arguments,
                active,
                speculative=speculative,
                ties=ties,
            )
        first = next(iter(types.values()), None)
        if layer.node.otherwise is not None:
            first = self.inputs.needed(layer.node, layer.node.otherwise)
        kind = first[0] if isinstance(first, tuple) else first
        if kind is None and types:
            error = nothing_to_pass_on(next(iter(types)))
            path = self.path.to(layer.node.name)
            raise self.engine.skip(self.instance, layer.node, error, path)
        if kind is None:
            raise Skip
        return TypedNode(
            layer.node,
            layer.target,
            layer.refs,
            (),
            {"output": named_as(speculative, kind, self.context)},
            layer.arguments,
            active,
            speculative=speculative,
            ties=ties,
            each=layer.each,
        )

    # The runs of its target: ops, blocks and groups, once, in copies or along time.

    def _tolerant(
        self, layer: ResolvedLayer, types: Types, count: int
    ) -> tuple[LayerCall, ...]:
        """Run the copies; sizes that do not fit are reported, and go on as if they did."""
        outer, self.context.tolerated = self.context.tolerated, []
        try:
            if not layer.repeated:
                return (self._call(layer, types, None),)
            return run_copies(layer, types, count, self.instance, self._call)
        finally:
            node = layer.node
            for error in self.context.tolerated:
                path = self.path.to(node.name)
                self.engine.errors.add(self.instance, node, error, path)
            self.context.tolerated = outer

    def _scan(self, layer: ResolvedLayer, types: Types) -> TypedNode:
        start = self.inputs.initial_states(layer.node)
        return run_scan(layer, types, start, self.instance, self._call)

    def _call(
        self, layer: ResolvedLayer, types: Types, counter: int | None
    ) -> LayerCall:
        self.engine.charge_run(copy=bool(counter))
        node, target = layer.node, layer.target
        values, names = self.instance.values, self.instance.names.counted(counter)
        if counter is not None:
            values = {**values, COUNTER: counter}
        if not isinstance(target, Scope):
            number, context = counter or 0, self.context
            context.listed = (
                () if layer.repeated else tuple(self.lists.taken_whole(layer))
            )
            try:
                facts = self.engine.facts
                op = facts.bound(target, layer.arguments, values, names)
                call = call_op(op, types, context, number)
            finally:
                context.listed = ()
            return parametrized(node.layer, call)
        if node.layer.parametrize is not None:
            raise refuse(target.name)
        call = (
            self._call_group(layer, target, types, counter)
            if layer.group
            else self._call_block(layer, target, types, values, names, counter)
        )
        if target.outputs.keys() - call.outputs.keys() - target.optional:
            raise Skip
        return call

    def _call_block(
        self,
        layer: ResolvedLayer,
        target: Scope,
        types: Types,
        values: Mapping[str, Value],
        names: SymbolTable,
        counter: int | None,
    ) -> LayerCall:
        arguments, named = bind_params(layer, target, values, names, self.report)
        path = self.path.to(layer.node.name, counter)
        open = self._open(layer)
        given = single_types(types)
        instance, matched = self._block(target, arguments, given, path, open)
        binding = bind_symbols(instance, layer, arguments, {**named, **matched}, names)
        self._note_patterns(instance.inputs, binding, given)
        outputs = {
            port: self.context.simplified(kind)
            for port, kind in renamed(instance.outputs, binding).items()
        }
        number = counter or 0
        return LayerCall(
            types, outputs, instance=instance, binding=binding, counter=number
        )

    def _note_patterns(
        self,
        patterns: Mapping[str, TensorType | None],
        binding: Mapping[Symbol, Dim],
        given: Inputs,
    ) -> None:
        """Remember that inputs of a block have the sizes of their patterns, as they do here, at other params, too.

        Sizes that are rounded are not compared: they depend on more than a message can say.
        """
        for port, kind in patterns.items():
            actual = given.get(port)
            if kind is None or actual is None:
                continue
            for wanted, size in zip(kind.shape, actual.shape, strict=True):
                named = wanted.substitute(binding)
                if named != size and not named.depth and not size.depth:
                    self.context.note_equal(named, size)

    def _block(
        self,
        scope: Scope,
        arguments: Mapping[str, Value],
        inputs: Inputs,
        path: InstancePath,
        open: frozenset[str],
    ) -> tuple[Instance, dict[Symbol, Dim]]:
        """Infer a block for the types it is called with; also what its symbols are in the caller.

        Raises:
            OpError: where the types do not fit the patterns, or the recursion has no end.
        """
        engine = self.engine
        matcher = Matcher(self.context, scope.owner, scope.params)
        for port, pattern in scope.inputs.items():
            actual = inputs.get(port)
            if pattern is not None and actual is not None:
                matcher.bind(port, pattern, actual)
        sizes = as_values(matcher.match.hints)
        params = block_params(scope, arguments, sizes, self.report)
        for name, param in scope.params.items():
            if param.type == "op":  # of the file that says so
                home = self.instance.scope if name in arguments else scope
                params[name] = engine.block_name(params[name], home)
        matcher.check({**params, **sizes})
        types = (*_key(inputs, self.context), *sorted(open))
        key: BlockKey = (scope, hashable(tuple(params.values())), types)
        if key in engine.running:
            message = f"{scope.name} holds itself with the same params and sizes, without an end"
            raise endless(message)
        known = engine.known.get(key) or self._rebound(key, params)
        if known is None:
            builder = block_instance(scope, params, matcher, inputs, engine.domain)
            builder.open = open
            known = self._inferred(key, builder, path)
            engine.remember_block(key, known)
        return known, matcher.match.binding

    def _rebound(self, key: BlockKey, params: Mapping[str, Value]) -> Instance | None:
        """An instance that needs no inference: the types of another, with other values."""
        alike = self.engine.alike(key, params)
        try:
            return None if alike is None else rebound(self.engine, alike, params)
        except Unfit:
            return None

    def _call_group(
        self, layer: ResolvedLayer, target: Scope, types: Types, counter: int | None
    ) -> LayerCall:
        inner = counter if uses_counter(target, {}) else None
        path = self.path.to(layer.node.name, counter)
        given, open = single_types(types), self._open(layer)
        instance = self._group(target, given, inner, path, open)
        hints, outer = instance.context.hints, self.context.hints
        # The names that only the group has: the counter of its copies, and formulas that are sizes.
        own = {name: hints[name] for name in hints if name not in outer}
        outputs = renamed(instance.outputs, own)
        return LayerCall(types, outputs, instance=instance, counter=counter or 0)

    def _group(
        self,
        scope: Scope,
        inputs: Inputs,
        counter: int | None,
        path: InstancePath,
        open: frozenset[str],
    ) -> Instance:
        """Infer a group, in the names of the scope around it."""
        key = (scope, self.instance, counter, tuple(inputs.items()), open)
        known = self.engine.known.get(key)
        if known is not None:
            return known
        builder = group_instance(scope, self.instance, inputs, counter)
        builder.open = open
        return self._inferred(key, builder, path)

    def _inferred(
        self, key: Hashable, builder: InstanceBuilder, path: InstancePath
    ) -> Instance:
        """Infer an instance that is new."""
        engine, depth = self.engine, self.depth + 1
        engine.remember(key, builder.freeze())
        engine.charge_instance(builder.scope, depth)
        engine.running.add(key)
        found = ScopeInference(engine, builder, path, depth).run()
        engine.running.discard(key)
        engine.known[key] = found
        return found

    def _open(self, layer: ResolvedLayer) -> frozenset[str]:
        """The inputs of a block or group that may be there or not when the network runs, where a layer asks for any."""
        asks = self.engine.asks_given
        return open_inputs(layer, self.instance) if asks else frozenset()

    # Runs that other values of the params, or other inputs, would add.

    def _idle(
        self, layer: ResolvedLayer, types: Types, outcomes: frozenset[bool]
    ) -> tuple[LayerCall, ...]:
        """The run of a layer that is off with these inputs, and is built for others; none where it is not known.

        What is wrong with it is reported where it runs.
        """
        if True not in outcomes:
            return ()
        found, target = self.inputs.with_idle(layer, types), layer.target
        if any(found[p] is None and not takes_none(target, p) for p in layer.refs):
            return ()
        with quietly(self.engine):
            return self._trial()._up_to_error(layer, found, [None])

    def _speculate(
        self, layer: ResolvedLayer, types: Types, calls: tuple[LayerCall, ...]
    ) -> tuple[LayerCall, ...]:
        """The runs that would come next, or at all, with other values of the params."""
        engine, instance = self.engine, self.instance
        further = further_runs(engine, instance, self.conditions, layer, types, calls)
        if further is None:
            return ()
        given, numbers = further
        with speculating(engine):
            return self._trial()._up_to_error(layer, given, numbers)

    def _trial(self) -> ScopeInference:
        """The same inference, which reports to whoever is asked now."""
        return ScopeInference(self.engine, self.instance, self.path, self.depth)

    def _up_to_error(
        self,
        layer: ResolvedLayer,
        given: dict[str, Any],
        numbers: Iterable[int | None],
    ) -> tuple[LayerCall, ...]:
        """Runs of a layer one after another, up to the first that is wrong."""
        calls: list[LayerCall] = []
        outer, self.context.tolerated = self.context.tolerated, []
        try:
            if layer.node.layer.scan is not None:
                return self._scan(layer, given).calls
            for number in numbers:
                calls.append(self._call(layer, given, number))
                if self.context.tolerated:
                    return tuple(calls[:-1])
                given = chain(layer.node.layer, calls[-1].outputs, given)
        except (OpError, BindingError, Skip, DimOverflow, ZeroDivisionError):
            return tuple(calls)
        finally:
            self.context.tolerated = outer
        return tuple(calls)


def _key(inputs: Inputs, caller: Context) -> tuple[Hashable, ...]:
    return tuple(
        (port, None if kind is None else caller.values(kind))
        for port, kind in inputs.items()
    )
