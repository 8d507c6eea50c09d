"""Running the targets of layers: ops, blocks and groups, once, in copies or along time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from compiler.infer.call_op import call_op, parametrized
from compiler.infer.equal_arguments import equal_arguments
from compiler.infer.param_values import default_sizes, formula_value
from compiler.infer.reading import Given, ScopeReader, Skip
from compiler.infer.repeats import chain, copies_are_equal, in_copy, uses_counter
from compiler.infer.scans import Scanned, scanned
from compiler.ir.graph import Node, Scope
from compiler.ir.typed import Call, TypedNode, Types
from compiler.language.parametrizations import refuse
from compiler.op.binding import BindingError, named_sizes
from compiler.op.errors import OpError
from compiler.op.op import Op
from compiler.symbolic.dims import Dim, DimOverflow
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbol_table import COUNTER, SymbolTable
from compiler.symbolic.tensor import TensorType


class ScopeRunner(ScopeReader):
    """Runs the layers of one instance of a scope on types."""

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
            raise OpError("repeat-mismatch", message, help=help)

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
                self.engine.errors.add(self.instance, node, fault, self._path(node))
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
            call = call_op(
                target, arguments, types, values, names, self.context, counter or 0
            )
            return parametrized(node.layer, call)
        if node.layer.parametrize is not None:
            raise refuse(target.name)
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
        names: SymbolTable,
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

    def speculate(
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
        except (OpError, BindingError, Skip, DimOverflow, ZeroDivisionError):
            return tuple(calls)
        finally:
            self.context.tolerated = outer
        return tuple(calls)


def _renamed(kind: TensorType, binding: Mapping[str, Dim]) -> TensorType:
    return TensorType(kind.kind, tuple(size.substitute(binding) for size in kind.shape))
