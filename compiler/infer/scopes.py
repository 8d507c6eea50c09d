"""Inferring the layers of one scope, in order; a mistake in one leaves those that need it without a type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.elaborate.targets import op_span, problem_span
from compiler.infer.closed_form import by_count
from compiler.infer.reading import Skip
from compiler.infer.repeats import chain, copies_are_equal, uses_counter
from compiler.infer.running import ScopeRunner
from compiler.infer.speculate import ALL_RUNS, COPIES, named_as, speculating
from compiler.infer.stacks import stacked
from compiler.ir.graph import Node, Scope
from compiler.ir.typed import Call, TypedNode, Types
from compiler.op.binding import BindingError
from compiler.op.errors import OpError
from compiler.op.op import Op
from compiler.symbolic.dims import DimOverflow
from compiler.symbolic.tensor import TensorType


class ScopeInference(ScopeRunner):
    """The inference of one instance of a scope."""

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
        active, ties = self._when(node), self._ties(node)
        count = self._count(node) if active else 0
        if count == 0:
            speculative = self._speculate(node, target, arguments, types, ())
            outputs = self._passed_on(types, speculative)
            return TypedNode(
                node,
                target,
                given,
                (),
                outputs,
                arguments,
                active,
                speculative=speculative,
                ties=ties,
            )
        try:
            if node.layer.scan is not None:
                return self._scan(node, target, arguments, given, types)
            calls = self._tolerant(node, target, arguments, types, count)
        except OpError as fault:
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
        speculative = self._speculate(node, target, arguments, types, calls)
        repeat = node.layer.repeat
        names, context = self.instance.names, self.context
        count_of = repeat.count if repeat is not None else None
        outputs = dict(by_count(calls, speculative, count_of, names, context))
        path = self._path(node)
        outputs |= stacked(node, calls, self.instance, self.report, path)
        return TypedNode(
            node,
            target,
            given,
            calls,
            outputs,
            arguments,
            speculative=speculative,
            ties=ties,
        )

    def _passed_on(
        self, types: Types, speculative: tuple[Call, ...]
    ) -> dict[str, TensorType]:
        first = next(iter(types.values()), None)
        kind = first[0] if isinstance(first, tuple) else first
        if kind is None:
            raise Skip
        return {"output": named_as(speculative, kind, self)}

    def _speculate(
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
        if self.engine.speculated > ALL_RUNS:
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
        with speculating(self.engine):
            trial = ScopeInference(self.engine, self.instance, self.path, self.depth)
            return trial.speculate(node, target, arguments, given, numbers)
