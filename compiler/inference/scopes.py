"""Inferring the layers of one scope, in order; a mistake in one leaves those that need it without a type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from compiler.binding import BindingError, named_sizes
from compiler.diagnostics import Report
from compiler.dims import Dim, DimOverflow
from compiler.elaboration.inputs import by_port
from compiler.elaboration.targets import bind_arguments, op_span, problem_span
from compiler.expressions import Value
from compiler.faults import Fault, absent_input
from compiler.graph import Node, OpParam, Place, Ref, Scope
from compiler.inference.calls import call_op
from compiler.inference.counted import by_count
from compiler.inference.ghosts import ALL_RUNS, COPIES, named_as, rehearsing
from compiler.inference.params import default_sizes, formula_value, shown
from compiler.inference.repeats import (
    chain,
    copies_are_equal,
    in_copy,
    uses_counter,
)
from compiler.inference.runs import equal_arguments
from compiler.inference.scans import Scanned, scanned
from compiler.naming import COUNTER, Names
from compiler.op import Op, Port
from compiler.tensor import TensorType
from compiler.text import listed
from compiler.typed import Call, Instance, TypedNode, Types

if TYPE_CHECKING:
    from compiler.inference.engine import Engine

Given = Mapping[str, Ref | tuple[Ref, ...]]


class Skip(Exception):
    """A layer that cannot be inferred; why has been reported, here or at a layer it needs."""


class ScopeInference:
    """The inference of one instance of a scope. `path` leads to it, for diagnostics: `ResNet.layer2[0]`."""

    def __init__(
        self, engine: Engine, instance: Instance, path: str, depth: int
    ) -> None:
        self.engine, self.instance, self.path, self.depth = (
            engine,
            instance,
            path,
            depth,
        )
        self.report = engine.report
        self.context = instance.context

    def run(self) -> None:
        """Infer every layer, then the outputs."""
        for node in self.instance.scope.nodes.values():
            try:
                self.instance.nodes[node.name] = self._layer(node)
            except Skip:
                continue
        for name, ref in self.instance.scope.outputs.items():
            kind = self._type(ref)
            if kind is not None:
                self.instance.outputs[name] = kind
            elif self._absent(ref):
                message = f"the output {name} is an optional input, left out here"
                span = self.instance.scope.place.document.locate(ref.path)
                self.report.error("missing-input", span, message, path=self.path)
            else:
                self._check_port(self.instance.scope.place, ref, self.path)

    def _layer(self, node: Node) -> TypedNode:
        target, arguments, given = self._resolve(node)
        types = self._types(node, given)
        active = self._when(node)
        count = self._count(node) if active else 0
        if count == 0:
            ghosts = self._ghosts(node, target, arguments, types, ())
            outputs = self._passed_on(types, ghosts)
            return TypedNode(
                node, target, given, (), outputs, arguments, active, ghosts=ghosts
            )
        try:
            if node.layer.scan is not None:
                return self._scan(node, target, arguments, given, types)
            calls = self._tolerant(node, target, arguments, types, count)
        except Fault as fault:
            raise self._skip(node, fault) from None
        except BindingError as error:
            for problem in error.problems:
                span = problem_span(node.place, problem)
                self.report.error(
                    problem.code,
                    span,
                    problem.message,
                    path=self._path(node),
                    help=problem.help,
                )
            raise Skip from None
        except (DimOverflow, ZeroDivisionError) as error:
            self.report.error(
                "too-large",
                op_span(node.place),
                f"a size cannot be computed: {error}",
                path=self._path(node),
            )
            raise Skip from None
        ghosts = self._ghosts(node, target, arguments, types, calls)
        repeat = node.layer.repeat
        names, context = self.instance.names, self.context
        count_of = repeat.count if repeat is not None else None
        outputs = dict(by_count(calls, ghosts, count_of, names, context))
        return TypedNode(node, target, given, calls, outputs, arguments, ghosts=ghosts)

    # What a layer runs, and on what.

    def _resolve(self, node: Node) -> tuple[type[Op] | Scope, Mapping[str, Any], Given]:
        if not isinstance(node.target, OpParam):
            return node.target, node.arguments, node.inputs
        name = str(self.instance.params[node.target.param])
        target = self.engine.targets.find(
            name, self.instance.scope, node.place, self.report
        )
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
        given = by_port(node.inputs, ports, _inputs_place(node), found)
        for diagnostic in found.diagnostics:
            self.report.add(diagnostic)
        if found.failed:
            raise Skip
        return target, arguments, given

    def _types(
        self, node: Node, given: Given
    ) -> dict[str, TensorType | tuple[TensorType, ...] | None]:
        types: dict[str, TensorType | tuple[TensorType, ...] | None] = {}
        for port, ref in given.items():
            if isinstance(ref, tuple):
                types[port] = tuple(self._present(node, item) for item in ref)
            else:
                types[port] = self._needed(node, ref)
        return types

    def _needed(self, node: Node, ref: Ref) -> TensorType | None:
        """The type of an input; None where it is an optional input of this block that is absent."""
        kind = self._type(ref)
        if kind is None and not self._absent(ref):
            self._check_port(node.place, ref, self._path(node))
            raise Skip
        return kind

    def _present(self, node: Node, ref: Ref) -> TensorType:
        """The type of one of several inputs, of which none can be left out."""
        kind = self._needed(node, ref)
        if kind is None:
            raise self._skip(node, absent_input(str(ref)))
        return kind

    def _type(self, ref: Ref) -> TensorType | None:
        return self.instance.type_of(ref)

    def _absent(self, ref: Ref) -> bool:
        return (
            ref.node in self.instance.inputs
            and ref.node not in self.instance.nodes
            and self.depth > 0
        )

    def _check_port(self, place: Place, ref: Ref, path: str) -> None:
        """Report an output that a layer does not have, where that is known only now."""
        source = self.instance.nodes.get(ref.node)
        if source is not None and source.outputs and ref.port:
            help = f"it gives {listed(source.outputs)}"
            if not source.active:
                help = "its `when` is false here, and its first input goes through"
            span = place.document.locate(ref.path)
            message = f"{ref.node} has no output {ref.port}"
            self.report.error("unknown-port", span, message, help=help, path=path)

    def _when(self, node: Node) -> bool:
        if node.layer.when is None:
            return True
        value = formula_value(
            node.layer.when, self.instance.values, node.place.at("when"), self.report
        )
        if value is None:
            raise Skip
        if not isinstance(value, bool):
            message = f"`when` is true or false, and this is {shown(value)}"
            self.report.error(
                "bad-when", node.place.span("when"), message, path=self._path(node)
            )
            raise Skip
        return value

    def _count(self, node: Node) -> int:
        if node.layer.repeat is None:
            return 1
        place = node.place.at("repeat")
        value = formula_value(
            node.layer.repeat.count, self.instance.values, place, self.report
        )
        limit = self.engine.limits.repeat
        if value is None:
            raise Skip
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            code, message = "bad-repeat", "is a number of copies, and this"
            if isinstance(value, Dim):
                code, message = (
                    "not-constant",
                    "must be known to build the network, and",
                )
            self.report.error(
                code,
                place.span(),
                f"`repeat` {message} is {shown(value)}",
                path=self._path(node),
            )
            raise Skip
        if value > limit:
            self.report.error(
                "too-large",
                place.span(),
                f"{value} copies are more than {limit}",
                path=self._path(node),
            )
            raise Skip
        return value

    def _passed_on(
        self, types: Types, ghosts: tuple[Call, ...]
    ) -> dict[str, TensorType]:
        first = next(iter(types.values()), None)
        kind = first[0] if isinstance(first, tuple) else first
        if kind is None:
            raise Skip
        return {"output": named_as(ghosts, kind, self)}

    def _ghosts(
        self,
        node: Node,
        target: type[Op] | Scope,
        arguments: Mapping[str, Any],
        types: Types,
        calls: tuple[Call, ...],
    ) -> tuple[Call, ...]:
        """The runs that would come next, or at all, with other values of the params."""
        group = isinstance(target, Scope) and target.kind == "group"
        repeated = node.layer.repeat is not None
        if self.engine.learned is not None or node.layer.scan is not None:
            return ()
        if self.engine.rehearsed > ALL_RUNS:
            return ()
        if (calls and not repeated) or (repeated and group):
            return ()
        given = chain(calls[-1].outputs, calls[-1].inputs) if calls else dict(types)
        counted = repeated and uses_counter(target, arguments)
        if (
            calls
            and not counted
            and copies_are_equal(calls[-1].inputs, given, self.context)
        ):
            return ()
        first = sum(call.count for call in calls)
        numbers = range(first, COPIES) if repeated else [None]
        with rehearsing(self.engine):
            ghost = ScopeInference(self.engine, self.instance, self.path, self.depth)
            return ghost.rehearse(node, target, arguments, given, numbers)

    def rehearse(
        self,
        node: Node,
        target: type[Op] | Scope,
        arguments: Mapping[str, Any],
        given: dict[str, Any],
        numbers: Iterable[int | None],
    ) -> tuple[Call, ...]:
        """Runs of a layer one after another, up to the first that is wrong."""
        calls: list[Call] = []
        outer, self.context.tolerated = self.context.tolerated, []
        try:
            for number in numbers:
                calls.append(self._call(node, target, arguments, given, number))
                if self.context.tolerated:
                    return tuple(calls[:-1])
                given = chain(calls[-1].outputs, given)
        except (Fault, BindingError, Skip, DimOverflow, ZeroDivisionError):
            return tuple(calls)
        finally:
            self.context.tolerated = outer
        return tuple(calls)

    # Running it.

    def _copies(
        self,
        node: Node,
        target: type[Op] | Scope,
        arguments: Mapping[str, Any],
        types: Types,
        count: int,
    ) -> tuple[Call, ...]:
        repeated = node.layer.repeat is not None
        counted = repeated and uses_counter(target, arguments)
        calls: list[Call] = []
        given = dict(types)
        done = 0
        while done < count:
            with in_copy(done, given, self.context):
                call = self._call(
                    node, target, arguments, given, done if repeated else None
                )
            following = chain(call.outputs, given) if done + 1 < count else given
            self._check_group(target, given, following)
            run = 1
            if copies_are_equal(given, following, self.context):
                run = self._alike(target, arguments, done, count, counted)
            self._append(calls, call, run)
            done += run
            given = following
        return tuple(calls)

    def _alike(
        self,
        target: type[Op] | Scope,
        arguments: Mapping[str, Any],
        done: int,
        count: int,
        counted: bool,
    ) -> int:
        """How many copies on equal inputs are equal."""
        if not counted:
            return count - done
        if isinstance(target, Scope) and target.kind == "group":
            return 1
        return equal_arguments(self.instance, arguments, done, count)

    def _check_group(
        self, target: type[Op] | Scope, given: Types, following: Types
    ) -> None:
        """The copies of a group have one class, which has no name for what changes."""
        group = isinstance(target, Scope) and target.kind == "group"
        if group and not copies_are_equal(given, following, self.context):
            message = (
                "a repeated group gives what it takes, and this one changes the type"
            )
            help = "write it as a block, whose inputs have types of their own"
            raise Fault("repeat-mismatch", message, help=help)

    def _tolerant(
        self,
        node: Node,
        target: type[Op] | Scope,
        arguments: Mapping[str, Any],
        types: Types,
        count: int,
    ) -> tuple[Call, ...]:
        """Run the copies; sizes that do not fit are reported, and go on as if they did."""
        outer, self.context.tolerated = self.context.tolerated, []
        try:
            return self._copies(node, target, arguments, types, count)
        finally:
            for fault in self.context.tolerated:
                self.engine.findings.add(self.instance, node, fault, self._path(node))
            self.context.tolerated = outer

    def _append(self, calls: list[Call], call: Call, run: int) -> None:
        last = calls[-1] if calls else None
        if last is not None and last.same_as(call):
            calls[-1] = last.times(last.count + run)
        else:
            calls.append(call.times(run))

    def _call(
        self,
        node: Node,
        target: type[Op] | Scope,
        arguments: Mapping[str, Any],
        types: Types,
        counter: int | None,
    ) -> Call:
        self.engine.charge_run(copy=bool(counter))
        values, names = self.instance.values, self.instance.names.counted(counter)
        if counter is not None:
            values = {**values, COUNTER: counter}
        if not isinstance(target, Scope):
            return call_op(
                target, arguments, types, values, names, self.context, counter or 0
            )
        suffix = f"{node.name}[{counter}]" if counter is not None else node.name
        return self._call_scope(
            node,
            target,
            arguments,
            types,
            values,
            names,
            counter,
            f"{self.path}.{suffix}",
        )

    def _call_scope(
        self,
        node: Node,
        target: Scope,
        arguments: Mapping[str, Any],
        types: Types,
        values: Mapping[str, Value],
        names: Names,
        counter: int | None,
        path: str,
    ) -> Call:
        inputs = {
            port: kind for port, kind in types.items() if not isinstance(kind, tuple)
        }
        if target.kind == "group":
            return self._call_group(node, target, types, inputs, counter, path)
        known: dict[str, Value] = {}
        named: dict[str, Dim] = {}
        for key, value in arguments.items():
            found = formula_value(value, values, node.place.at(key), self.report)
            if found is None:
                raise Skip
            known[key] = found
            named |= named_sizes(key, value, found, names)
        instance, binding = self.engine.block(
            target, known, inputs, self.context, path, self.depth + 1
        )
        binding = {**instance.context.hints, **named, **binding}
        binding |= default_sizes(instance, known, binding)
        outputs = {
            port: _renamed(kind, binding) for port, kind in instance.outputs.items()
        }
        return self._finished(
            Call(
                types, outputs, instance=instance, binding=binding, counter=counter or 0
            ),
            target,
        )

    def _call_group(
        self,
        node: Node,
        target: Scope,
        types: Types,
        inputs: Mapping[str, TensorType | None],
        counter: int | None,
        path: str,
    ) -> Call:
        inner = counter if uses_counter(target, {}) else None
        instance, own = self.engine.group(
            target, self.instance, inputs, inner, path, self.depth + 1
        )
        outputs = {port: _renamed(kind, own) for port, kind in instance.outputs.items()}
        call = Call(types, outputs, instance=instance, counter=counter or 0)
        return self._finished(call, target)

    @staticmethod
    def _finished(call: Call, target: Scope) -> Call:
        if len(call.outputs) < len(target.outputs):
            raise Skip
        return call

    def _scan(
        self,
        node: Node,
        target: type[Op] | Scope,
        arguments: Mapping[str, Any],
        given: Given,
        types: Types,
    ) -> TypedNode:
        start: dict[str, TensorType] = {}
        for name, carry in node.carry.items():
            if carry.ref is not None:
                kind = self._needed(node, carry.ref)
                if kind is not None:
                    start[name] = kind
        setup = Scanned(node, target, self.instance, start, self.report)
        inner, scan = scanned(setup, types)
        call = self._call(node, target, arguments, inner, None)
        return TypedNode(
            node,
            target,
            given,
            (call,),
            setup.outputs(call, scan),
            arguments,
            scan=scan,
        )

    # Saying what is wrong.

    def _path(self, node: Node) -> str:
        return f"{self.path}.{node.name}"

    def _skip(self, node: Node, fault: Fault) -> Skip:
        self.engine.findings.add(self.instance, node, fault, self._path(node))
        return Skip()


def _inputs_place(node: Node) -> Place:
    """Where a layer says what its inputs are; itself, where it does not."""
    return node.place.at("in") if node.place.has("in") else node.place


def _renamed(kind: TensorType, binding: Mapping[str, Dim]) -> TensorType:
    return TensorType(kind.kind, tuple(size.substitute(binding) for size in kind.shape))
