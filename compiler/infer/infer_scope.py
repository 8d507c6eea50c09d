"""Inferring the layers of one scope, in order; a mistake in one leaves those that need it without a type."""

from __future__ import annotations

from collections.abc import (
    Callable,
    Hashable,
    Iterable,
    Mapping,
)
from dataclasses import replace
from typing import Any, TypeVar

from compiler.diagnostics import suggestions
from compiler.diagnostics.diagnostic import InstancePath, Report
from compiler.diagnostics.text import listed
from compiler.elaborate.targets import bind_arguments, op_span
from compiler.elaborate.wiring import (
    EXPERTS,
    WEIGHTS,
    by_port,
    is_routed,
    with_routing,
)
from compiler.expr.syntax import BooleanLiteral
from compiler.infer.absence import (
    check_absence,
    check_asked,
    check_outputs,
    check_repeated_outputs,
    runs_with,
    takes_none,
)
from compiler.infer.call_op import call_op, parametrized
from compiler.infer.closed_form import by_count
from compiler.infer.collect_lists import NO_LISTS, Collector, Lists
from compiler.infer.copy_course import COPIES, FARTHEST, first_departure
from compiler.infer.engine import BlockKey, Engine, Skip, endless
from compiler.infer.instances import (
    Inputs,
    InstanceBuilder,
    as_values,
    block_instance,
    block_params,
    group_instance,
)
from compiler.infer.match_inputs import Matcher
from compiler.infer.param_values import (
    default_sizes,
    float_sizes,
    formula_sizes,
    formula_value,
    shown,
)
from compiler.infer.rebind import Unfit, rebound
from compiler.infer.repeats import (
    chain,
    copies_are_equal,
    equal_arguments,
    equal_by_floats,
    for_copy,
    in_copy,
    uses_counter,
)
from compiler.infer.resolved_layer import ResolvedLayer
from compiler.infer.roots import root_instance
from compiler.infer.routed_copies import is_counted, sent, some_tokens, width_of
from compiler.infer.scans import Scanned, scanned
from compiler.infer.sets_of_inputs import given_values, hopeful, is_open, settled_by
from compiler.infer.speculate import (
    ALL_RUNS,
    named_as,
    quietly,
    speculating,
)
from compiler.infer.stacks import stacked
from compiler.infer.take_lists import ListInputs
from compiler.ir.graph import (
    Alternatives,
    Node,
    OpParam,
    Place,
    Ref,
    Scope,
    may_lack,
)
from compiler.ir.typed import (
    Instance,
    LayerCall,
    Routed,
    TypedNode,
    Types,
    hashable,
)
from compiler.language.parametrizations import refuse
from compiler.op.arg_types import Formula
from compiler.op.binding import BindingError, named_sizes
from compiler.op.context import Context
from compiler.op.errors import OpError, absent_input, nothing_to_pass_on
from compiler.op.op import Port
from compiler.symbolic.dims import Dim, DimOverflow
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbol_table import COUNTER, SymbolTable
from compiler.symbolic.symbols import ParamNumber, Symbol
from compiler.symbolic.tensor import TensorType

Found = TypeVar("Found")
NO_ANSWERS: Mapping[str, Value] = {}


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

    def run(self) -> Instance:
        """Infer every layer, then the outputs."""
        check_outputs(self.instance.scope, self.report)
        check_asked(self.instance.scope, self.report)
        for node in self.instance.scope.nodes.values():
            try:
                self.instance.nodes[node.name] = self._layer(node)
            except Skip:
                continue
        for name, ref in self.instance.scope.outputs.items():
            kind = None if self.lists.is_unnamed(ref) else self.instance.type_of(ref)
            if kind is not None:
                self.instance.outputs[name] = kind
            elif name in self.instance.scope.optional and self._absent(ref):
                continue
            elif self._absent(ref):
                message = f"the output {name} is an optional input, left out here"
                span = self.instance.scope.place.document.locate(ref.path)
                self.report.error("missing-input", span, message, path=self.path)
            else:
                self._check_port(self.instance.scope.place, ref, self.path)
        return self.instance.freeze()

    def _layer(self, written: Node) -> TypedNode:
        self.context.layer = None
        node = self._chosen(written)
        layer = self.lists.with_items(self._resolve(node))
        scope, report = self.instance.scope, self.report
        right = check_repeated_outputs(node, layer.target, report)
        if (
            not check_absence(scope, node, layer.target, layer.refs, report)
            or not right
        ):
            raise Skip
        active, ties = self._when(node), self._ties(node)
        outcomes = self._outcomes(node)
        types = self._types(layer, active)
        if (
            node.otherwise is not None
            and self.lists.copies_of(node.otherwise) is not None
        ):
            self._needed(node, node.otherwise)  # reports it, also where the layer runs
        count = self._count(node) if active else 0
        self.lists.check_each(layer, count)
        if count == 0:
            off = self._passed_on(layer, types, active, ties)
            return replace(
                off, outcomes=outcomes, idle=self._idle(layer, types, outcomes)
            )
        self.context.layer = node
        if node.layer.scan is not None:
            found = self._reported(layer, lambda: self._scan(layer, types))
            return replace(found, outcomes=outcomes)
        if is_routed(node.layer):
            found = self._reported(layer, lambda: self._routed(layer, types, count))
            return replace(found, outcomes=outcomes)
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

    def _reported(self, layer: ResolvedLayer, run: Callable[[], Found]) -> Found:
        """What a layer runs.

        Raises:
            Skip: where it is wrong, which is reported.
        """
        node = layer.node
        try:
            return run()
        except OpError as error:
            raise self._skip(node, error) from None
        except BindingError as error:
            for one in error.errors:
                span = one.span(node.place.document, node.place.path)
                path, help = self._path(node), one.help
                self.report.error(one.code, span, one.message, path=path, help=help)
            raise Skip from None
        except (DimOverflow, ZeroDivisionError) as error:
            message = f"a size cannot be computed: {error}"
            span = op_span(node.place)
            self.report.error("too-large", span, message, path=self._path(node))
            raise Skip from None

    def _idle(
        self, layer: ResolvedLayer, types: Types, outcomes: frozenset[bool]
    ) -> tuple[LayerCall, ...]:
        """The run of a layer that is off with these inputs, and is built for others; none where it is not known.

        What is wrong with it is reported where it runs.
        """
        if True not in outcomes:
            return ()
        found, target = self._with_idle(layer, types), layer.target
        if any(found[p] is None and not takes_none(target, p) for p in layer.refs):
            return ()
        with quietly(self.engine):
            trial = ScopeInference(self.engine, self.instance, self.path, self.depth)
            return trial._up_to_error(layer, found, [None])

    def _with_idle(self, layer: ResolvedLayer, types: Types) -> dict[str, Any]:
        """The types of the inputs of a layer that is off, where the layers run that run with it."""
        found = dict(self._as_if_on(layer, types))
        settled = settled_by(layer.node, self.instance, self.instance.values)
        for port, ref in layer.refs.items():
            if not isinstance(ref, Ref):
                continue
            if settled.get(ref.node) is False:
                found[port] = None
            source = self.instance.nodes.get(ref.node)
            if (
                source is not None
                and source.idle
                and runs_with(layer.node, source.node)
            ):
                outputs = source.shown.outputs
                found[port] = outputs.get(ref.port or next(iter(outputs)))
        return found

    def _lists(self, node: Node, calls: tuple[LayerCall, ...]) -> Lists:
        """What a layer collects of its copies."""
        repeat = node.layer.repeat
        if repeat is None or not repeat.collect:
            return NO_LISTS
        path, most = self._path(node), self.engine.limits.inputs
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
        path = self._path(node)
        return {**last, **stacked(node, calls, self.instance, self.report, path)}

    def _passed_on(
        self,
        layer: ResolvedLayer,
        types: Types,
        active: bool,
        ties: Mapping[str, str],
    ) -> TypedNode:
        """A layer that is switched off, or has no copies: its output is its `else`, or its first input."""
        speculative = self._speculate(layer, self._as_if_on(layer, types), ())
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
            first = self._needed(layer.node, layer.node.otherwise)
        kind = first[0] if isinstance(first, tuple) else first
        if kind is None and types:
            raise self._skip(layer.node, nothing_to_pass_on(next(iter(types))))
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

    # What a layer runs, and on which types.

    def _chosen(self, node: Node) -> Node:
        """What a layer is that may be one thing or another."""
        if not isinstance(node.target, Alternatives):
            return node
        pairs = zip(node.target.conditions, node.target.nodes, strict=True)
        origin = self.instance.scope.nodes[node.shared] if node.shared else node
        for number, (condition, one) in enumerate(pairs):
            place = origin.place.at("choose", number, "when")
            if self._holds(node, condition, place):
                return one
        raise AssertionError("the last alternative has no condition")

    def _resolve(self, node: Node) -> ResolvedLayer:
        assert not isinstance(node.target, Alternatives)
        if not isinstance(node.target, OpParam):
            return ResolvedLayer(node, node.target, node.arguments, node.inputs)
        name = self.instance.params[node.target.param]
        assert isinstance(name, str)
        home = self.instance.scope.environment
        targets = self.engine.targets(home, name)
        target = targets.find(name, home, node.place, self.report)
        if target is None or isinstance(target, OpParam):
            raise Skip
        found = Report()
        arguments = bind_arguments(target, node.layer, node.place, found)
        ports = (
            target.inputs
            if not isinstance(target, Scope)
            else tuple(
                Port(port, optional=bool(kind and kind.optional))
                for port, kind in target.inputs.items()
                if port not in node.carry
            )
        )
        if is_routed(node.layer):
            ports = with_routing(ports)
        refs = by_port(node.inputs, ports, _inputs_place(node), found)
        for diagnostic in found.diagnostics:
            self.report.add(diagnostic)
        if found.failed:
            raise Skip
        return ResolvedLayer(node, target, arguments, refs)

    def _types(
        self, layer: ResolvedLayer, active: bool
    ) -> dict[str, TensorType | tuple[TensorType, ...] | None]:
        types: dict[str, TensorType | tuple[TensorType, ...] | None] = {}
        for port, ref in layer.refs.items():
            if isinstance(ref, tuple):
                types[port] = self._all_present(layer.node, ref, active)
            else:
                types[port] = self._needed(layer.node, ref)
        return types

    def _needed(self, node: Node, ref: Ref) -> TensorType | None:
        """The type of an input; None where it is an optional input of this block that is absent."""
        kind = None if self.lists.is_unnamed(ref) else self.instance.type_of(ref)
        if kind is None and not self._absent(ref):
            self._check_port(node.place, ref, self._path(node))
            raise Skip
        return kind

    def _as_if_on(self, layer: ResolvedLayer, types: Types) -> Types:
        """The types of the inputs of a layer that is off, those that are off with it as they would be."""
        found = dict(types)
        for port, kind in types.items():
            refs = layer.refs[port]
            several = refs if isinstance(refs, tuple) else (refs,)
            if kind is None and any(map(self._is_off, several)):
                kinds = [self._if_on(ref) for ref in several]
                known = tuple(one for one in kinds if one is not None)
                if len(known) == len(kinds):
                    found[port] = known if isinstance(refs, tuple) else known[0]
        return found

    def _if_on(self, ref: Ref) -> TensorType | None:
        """The type of a value, also where its layer is off."""
        if not self._is_off(ref):
            return self.instance.type_of(ref)
        shown = self.instance.nodes[ref.node].shown.outputs
        return shown.get(ref.port) if ref.port else next(iter(shown.values()), None)

    def _all_present(
        self, node: Node, refs: tuple[Ref, ...], active: bool
    ) -> tuple[TensorType, ...] | None:
        """The types of several inputs; None where some are absent, and the layer is off."""
        if not active and any(self._needed(node, ref) is None for ref in refs):
            return None
        return tuple(self._present(node, ref) for ref in refs)

    def _is_off(self, ref: Ref) -> bool:
        """Whether a value is absent, since its layer is off."""
        source = self.instance.nodes.get(ref.node)
        if source is None:
            return False
        if source.outputs and may_lack(source.node, ref.port):
            return ref.port not in source.outputs
        return source.node.may_be_absent and not source.outputs

    def _present(self, node: Node, ref: Ref) -> TensorType:
        """The type of one of several inputs, of which none can be left out."""
        kind = self._needed(node, ref)
        if kind is None:
            raise self._skip(node, absent_input(str(ref)))
        return kind

    def _absent(self, ref: Ref) -> bool:
        pattern = self.instance.scope.inputs.get(ref.node)
        return self._is_off(ref) or (
            ref.node in self.instance.inputs
            and ref.node not in self.instance.nodes
            and (self.depth > 0 or (pattern is not None and pattern.optional))
        )

    def _check_port(self, place: Place, ref: Ref, path: InstancePath) -> None:
        """Report an output that a layer does not have, where that is known only now."""
        source = self.instance.nodes.get(ref.node)
        if source is not None and self.lists.check_list(place, source, ref, path):
            return
        if source is not None and source.outputs and ref.port:
            help = suggestions.of_list(ref.node, ref.port, source.lists)
            help = help or f"it gives {listed([*source.of_copy, *source.lists])}"
            if not source.active:
                help = "its `when` is false here, and its first input goes through"
            span = place.document.locate(ref.path)
            message = f"{ref.node} has no output {ref.port}"
            self.report.error("unknown-port", span, message, help=help, path=path)

    # Whether it runs, and how often.

    def _when(self, node: Node) -> bool:
        answers = given_values(node, self.instance.inputs)
        return self._holds(node, node.layer.when, node.place.at("when"), answers)

    def _outcomes(self, node: Node) -> frozenset[bool]:
        """What may come out of a condition that asks for inputs that may be there or not when the network runs."""
        ends = [self._answered(node, hope) for hope in (True, False)]
        place = node.place.at("when")
        return frozenset(self._holds(node, one, place) for one in ends if one)

    def _answered(self, node: Node, hope: bool) -> Formula | None:
        """A condition without questions for inputs; None for one that has none."""
        when = node.layer.when
        if not node.layer.asks_given:
            return None
        one = hopeful(when.expr, self.instance.inputs, self.instance.open, hope)
        return Formula(one, when.text)

    def _is_open(self, ref: Ref) -> bool:
        """Whether a value may be there or not when the network runs."""
        return is_open(self.instance, ref)

    def _open(self, layer: ResolvedLayer) -> frozenset[str]:
        """The inputs of a block or group that may be there or not when the network runs."""
        if not self.engine.asks_given:
            return frozenset()
        settled = settled_by(layer.node, self.instance, self.instance.values)
        return frozenset(
            port
            for port, ref in layer.refs.items()
            if isinstance(ref, Ref) and ref.node not in settled and self._is_open(ref)
        )

    def _ties(self, node: Node) -> Mapping[str, str]:
        """The ties of a layer, where they hold."""
        tie = node.layer.tie
        if tie is None or not self._holds(node, tie.when, node.place.at("tie", "when")):
            return {}
        return tie.tensors

    def _holds(
        self,
        node: Node,
        condition: Any,
        place: Place,
        answers: Mapping[str, Value] = NO_ANSWERS,
    ) -> bool:
        if condition is None:
            return True
        values = (
            {**self.instance.values, **answers} if answers else self.instance.values
        )
        value = formula_value(condition, values, place, self.report)
        if value is None:
            raise Skip
        if not isinstance(value, bool):
            message = f"`when` is true or false, and this is {shown(value)}"
            self.report.error("bad-when", place.span(), message, path=self._path(node))
            raise Skip
        return value

    def _count(self, node: Node) -> int:
        repeat = node.layer.repeat
        if repeat is None:
            return 1
        place = node.place.at("repeat")
        value = formula_value(repeat.count, self.instance.values, place, self.report)
        if value is None:
            raise Skip
        code = message = ""
        least = min(len(repeat.stack) + len(repeat.collect) + repeat.routed, 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            what = "is a number of copies"
            if least and isinstance(value, int) and not isinstance(value, bool):
                doing = "stack" if repeat.stack else "collect"
                doing = "route to" if repeat.routed else doing
                what = f"needs a copy to {doing}"
            code, message = "bad-repeat", f"`repeat` {what}, and this is {shown(value)}"
            if isinstance(value, Dim):
                code = "not-constant"
                must = "must be known to build the network"
                message = f"`repeat` {must}, and is {shown(value)}"
        elif value > self.engine.limits.repeat:
            limit = self.engine.limits.repeat
            code, message = "too-large", f"{value} copies are more than {limit}"
        if message:
            self.report.error(code, place.span(), message, path=self._path(node))
            raise Skip
        assert isinstance(value, int)
        return value

    # The runs of its target: ops, blocks and groups, once, in copies or along time.

    def _tolerant(
        self, layer: ResolvedLayer, types: Types, count: int
    ) -> tuple[LayerCall, ...]:
        """Run the copies; sizes that do not fit are reported, and go on as if they did."""
        outer, self.context.tolerated = self.context.tolerated, []
        try:
            return self._copies(layer, types, count)
        finally:
            node = layer.node
            for error in self.context.tolerated:
                self.engine.errors.add(self.instance, node, error, self._path(node))
            self.context.tolerated = outer

    def _copies(
        self, layer: ResolvedLayer, types: Types, count: int
    ) -> tuple[LayerCall, ...]:
        if not layer.repeated:
            return (self._call(layer, types, None),)
        counted = layer.counted
        calls: list[LayerCall] = []
        state = dict(types)
        done = 0
        while done < count:
            given = for_copy(state, layer.each, done)
            with in_copy(done, given, self.context):
                call = self._call(layer, given, done)
            if done + 1 < count:
                state = chain(layer.node.layer, call.outputs, state, layer.each)
            following = for_copy(state, layer.each, min(done + 1, count - 1))
            equal = copies_are_equal(given, following, self.context)
            if layer.group and not equal:
                raise _changing_group()
            if equal and not layer.group:
                equal = not equal_by_floats(given, following, self.instance.names)
            run = self._alike(layer, done, count, counted) if equal else 1
            run = run if not layer.each else 1  # later items may be of other types
            last = calls[-1] if calls else None
            if last is not None and last.same_as(call):
                calls[-1] = last.times(last.count + run)
            else:
                calls.append(call.times(run))
            done += run
        return tuple(calls)

    def _alike(self, layer: ResolvedLayer, done: int, count: int, counted: bool) -> int:
        """How many copies on equal inputs are equal."""
        if not counted:
            return count - done
        if layer.group:
            return 1
        return equal_arguments(self.instance, layer.varied, done, count)

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
                call = call_op(
                    target, layer.arguments, types, values, names, context, number
                )
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
        known: dict[str, Value] = {}
        named: dict[Symbol, Dim] = {}
        for key, value in layer.arguments.items():
            place = layer.node.place.at(key)
            found = formula_value(value, values, place, self.report)
            if found is None:
                raise Skip
            known[key] = found
            named |= named_sizes(ParamNumber(target.owner, key), value, found, names)
        path = self._path(layer.node, counter)
        open = self._open(layer)
        instance, matched = self._block(target, known, _single(types), path, open)
        binding = {**instance.context.hints, **named, **matched}
        binding |= default_sizes(instance, known, binding)
        binding |= formula_sizes(instance, binding)
        binding |= float_sizes(instance, layer.arguments, binding, names)
        outputs = {
            port: self.context.simplified(kind)
            for port, kind in _renamed(instance.outputs, binding).items()
        }
        number = counter or 0
        return LayerCall(
            types, outputs, instance=instance, binding=binding, counter=number
        )

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
        path = self._path(layer.node, counter)
        instance = self._group(target, _single(types), inner, path, self._open(layer))
        hints, outer = instance.context.hints, self.context.hints
        # The names that only the group has: the counter of its copies, and formulas that are sizes.
        own = {name: hints[name] for name in hints if name not in outer}
        outputs = _renamed(instance.outputs, own)
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

    def _scan(self, layer: ResolvedLayer, types: Types) -> TypedNode:
        node, target = layer.node, layer.target
        start: dict[str, TensorType] = {}
        for name, carry in node.carry.items():
            if carry.ref is not None:
                kind = self._needed(node, carry.ref)
                if kind is not None:
                    start[name] = kind
        setup = Scanned(node, target, self.instance, start, self.report)
        inner, scan = scanned(setup, types)
        call = self._call(layer, inner, None)
        outputs = setup.outputs(call, scan)
        arguments = layer.arguments
        return TypedNode(
            node, target, layer.refs, (call,), outputs, arguments, scan=scan
        )

    def _routed(self, layer: ResolvedLayer, types: Types, count: int) -> TypedNode:
        """Copies that are experts, all alike; the types are those of an expert that is sent all tokens."""
        node, target = layer.node, layer.target
        if layer.counted:
            message = "experts are alike, and these depend on their number i"
            raise OpError("bad-repeat", message, "", "repeat")
        counted = is_counted(node, count, self.instance)
        port, rows = sent(self.context, target, types)
        assert isinstance(target, Scope)
        given = dict.fromkeys(set(types) - {EXPERTS, WEIGHTS})
        some = some_tokens(target, rows)
        alone = self._call(layer, {**given, port: some}, 0)
        width_of(alone, some.shape[0])
        call = self._call(layer, {**given, port: rows}, 0)
        output, width = width_of(call, rows.shape[0])
        tokens, experts = types[port], types[EXPERTS]
        assert isinstance(tokens, TensorType) and isinstance(experts, TensorType)
        assert alone.instance is not None
        return TypedNode(
            node,
            target,
            layer.refs,
            (call.times(count),),
            {output: tokens.with_size(-1, width)},
            layer.arguments,
            routed=Routed(experts.shape[-1], alone.instance, counted),
        )

    # Runs that other values of the params would add.

    def _speculate(
        self, layer: ResolvedLayer, types: Types, calls: tuple[LayerCall, ...]
    ) -> tuple[LayerCall, ...]:
        """The runs that would come next, or at all, with other values of the params."""
        engine = self.engine
        if not engine.speculates or engine.learned is not None:
            return ()
        if layer.node.layer.scan is not None:
            return ()
        if self.engine.speculated > ALL_RUNS:
            return ()
        if (calls and not layer.repeated) or (layer.repeated and layer.group):
            return ()
        if layer.each:  # a list has no more items
            return ()
        if not calls and self._is_settled(layer.node):
            return ()
        given = dict(types)
        if calls:
            given = chain(layer.node.layer, calls[-1].outputs, calls[-1].inputs)
        if (
            calls
            and not layer.counted
            and copies_are_equal(calls[-1].inputs, given, self.context)
            and not equal_by_floats(calls[-1].inputs, given, self.instance.names)
        ):
            return ()
        first = sum(call.count for call in calls)
        numbers = range(first, self._most_copies(layer, first))
        with speculating(self.engine):
            trial = ScopeInference(self.engine, self.instance, self.path, self.depth)
            return trial._up_to_error(
                layer, given, numbers if layer.repeated else [None]
            )

    def _most_copies(self, layer: ResolvedLayer, seen: int) -> int:
        """How many copies show how the sizes of all go on: up to one after the first that is not as those before it."""
        if not layer.counted:
            return COPIES
        copy = first_departure(layer.arguments, self.instance.names, seen)
        return COPIES if copy is None or copy > FARTHEST else copy + 2

    def _is_settled(self, node: Node) -> bool:
        """Whether other values of the params would not run a layer that is off: inputs decide that it is."""
        best = self._answered(node, hope=True)
        if best is None:
            return False
        settled = best.expr == BooleanLiteral(False)
        return settled or True in self._outcomes(node)

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

    # Paths, for diagnostics.

    def _path(self, node: Node, counter: int | None = None) -> InstancePath:
        return self.path.to(node.name, counter)

    def _skip(self, node: Node, error: OpError) -> Skip:
        self.engine.errors.add(self.instance, node, error, self._path(node))
        return Skip()


def _inputs_place(node: Node) -> Place:
    """Where a layer says what its inputs are; itself, where it does not."""
    return node.place.at("in") if node.place.has("in") else node.place


def _changing_group() -> OpError:
    """The copies of a group have one class, which has no name for what changes."""
    message = "a repeated group gives what it takes, and this one changes the type"
    help = "write it as a block, whose inputs have types of their own"
    return OpError("repeat-mismatch", message, help=help)


def _single(types: Types) -> dict[str, TensorType | None]:
    return {port: kind for port, kind in types.items() if not isinstance(kind, tuple)}


def _renamed(
    outputs: Mapping[str, TensorType], binding: Mapping[Symbol, Dim]
) -> dict[str, TensorType]:
    """Types in the names of the caller."""
    return {
        port: TensorType(
            kind.kind, tuple(size.substitute(binding) for size in kind.shape)
        )
        for port, kind in outputs.items()
    }


def _key(inputs: Inputs, caller: Context) -> tuple[Hashable, ...]:
    return tuple(
        (port, None if kind is None else caller.values(kind))
        for port, kind in inputs.items()
    )
