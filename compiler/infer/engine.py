"""Inference over scopes: each distinct use of a block is inferred once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.limits import Limits
from compiler.elaborate.targets import Targets
from compiler.infer.error_sink import ErrorSink
from compiler.infer.match_inputs import Matcher
from compiler.infer.param_values import default_value, fits, name_values
from compiler.infer.reading import Skip
from compiler.infer.roots import root_instance
from compiler.infer.scopes import ScopeInference
from compiler.ir.graph import Graph, Scope
from compiler.ir.typed import Instance, hashable
from compiler.op.context import Context
from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Domain
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbol_table import COUNTER, SymbolTable
from compiler.symbolic.tensor import TensorType

Inputs = Mapping[str, TensorType | None]


class Engine:
    """What the inference of one graph shares: the instances so far, the budget, the mistakes."""

    def __init__(
        self, graph: Graph, domain: Domain, limits: Limits, report: Report
    ) -> None:
        self.graph, self.domain, self.limits, self.report = (
            graph,
            domain,
            limits,
            report,
        )
        self.count = self.runs = self.speculated = 0
        self.errors = ErrorSink()
        self.learned: list[Any] | None = None
        """While it speculates: the instances that it is to forget."""
        self._known: dict[Any, Instance] = {}
        self._running: set[Any] = set()

    def network(
        self, scope: Scope, params: Mapping[str, Value], bare: bool = False
    ) -> Instance:
        """Infer a network: the symbols of its inputs are what everything else is said in.

        A bare one is without its optional inputs.
        """
        instance = root_instance(scope, params, self.domain, self.report, bare)
        self._infer(instance, scope.name, 0)
        return instance

    def block(
        self,
        scope: Scope,
        arguments: Mapping[str, Value],
        inputs: Inputs,
        caller: Context,
        path: str,
        depth: int,
    ) -> tuple[Instance, dict[str, Dim]]:
        """Infer a block for the types it is called with; also what its symbols are in the caller.

        Raises:
            OpError: where the types do not fit the patterns, or the recursion has no end.
        """
        matcher = Matcher(caller, scope.params)
        for port, pattern in scope.inputs.items():
            actual = inputs.get(port)
            if pattern is not None and actual is not None:
                matcher.bind(port, pattern, actual)
        params = self._params(scope, arguments, matcher.match.hints)
        matcher.check({**params, **_as_values(matcher.match.hints)})
        key = (id(scope), hashable(tuple(params.values())), _key(inputs, caller))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._instance(scope, params, matcher, inputs)
            self._new(key, known, path, depth)
        elif key in self._running:
            message = f"{scope.name} holds itself with the same params and sizes, without an end"
            raise OpError(
                "recursion",
                message,
                help="a block that calls itself needs a `when` that ends it",
            )
        return known, matcher.match.binding

    def group(
        self,
        scope: Scope,
        outer: Instance,
        inputs: Inputs,
        counter: int | None,
        path: str,
        depth: int,
    ) -> tuple[Instance, dict[str, Dim]]:
        """Infer a group, in the names of the scope around it.

        Also the values of the names that only the group has: the counter of its copies,
        where it uses that, and formulas that are sizes.
        """
        types = tuple((port, str(kind)) for port, kind in inputs.items())
        key = (id(scope), id(outer), counter, types)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _group_instance(scope, outer, inputs, counter)
            self._new(key, known, path, depth)
        hints = known.context.hints
        own = {name: hints[name] for name in hints if name not in outer.context.hints}
        return known, own

    def targets(self, scope: Scope, param: str, value: str) -> Targets:
        """The blocks among which a param of type `op` names one.

        Those of the file that says so: for a default the block's own, else the one
        that calls it.
        """
        own = self.graph.named.get(scope.place.document.source.file, {})
        others = self.graph.blocks
        if scope.params[param].default == value:
            return Targets({**others, **own})
        return Targets({**own, **others})

    def forget(self, key: Any) -> None:
        """Forget an instance."""
        self._known.pop(key, None)
        self._running.discard(key)

    def _new(self, key: Any, instance: Instance, path: str, depth: int) -> None:
        if self.learned is not None:
            self.learned.append(key)
        self._charge(instance.scope, depth)
        self._running.add(key)
        self._infer(instance, path, depth)
        self._running.discard(key)

    def _infer(self, instance: Instance, path: str, depth: int) -> None:
        ScopeInference(self, instance, path, depth).run()

    def _charge(self, scope: Scope, depth: int) -> None:
        self.count += 1
        if depth > self.limits.nesting:
            message = f"{scope.name} nests more than {self.limits.nesting} levels deep"
            raise OpError(
                "recursion",
                message,
                help="a block that calls itself needs a `when` that ends it",
            )
        _pay(self.count - 1, self.count, self.limits.instances, "blocks")

    def charge_run(self, copy: bool = False) -> None:
        """Pay for the run of a layer, before it is worked out.

        A copy that differs from the one before it costs more: a line asks for thousands.

        Raises:
            OpError: where it is one too many.
            Skip: from then on.
        """
        before = self.runs
        self.runs += 10 if copy else 1
        _pay(before, self.runs, self.limits.runs, "different runs of layers")

    def _params(
        self, scope: Scope, arguments: Mapping[str, Value], hints: Mapping[str, Dim]
    ) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for name, param in scope.params.items():
            place = scope.place.at("params", name)
            value: Value | None
            if name in arguments:
                value = arguments[name]
            else:
                value = default_value(
                    param, {**_as_values(hints), **values}, place, self.report
                )
            if value is None:
                raise OpError(
                    "missing-argument",
                    f"{scope.name} has no value for {name}",
                    "",
                    name,
                )
            if wrong := fits(param, value):
                raise OpError("bad-value", f"{name} {wrong}", "", name)
            values[name] = value
        return values

    def _instance(
        self, scope: Scope, params: Mapping[str, Value], matcher: Matcher, given: Inputs
    ) -> Instance:
        hints = matcher.match.hints
        symbols, numbers = name_values(params)
        symbols |= {symbol: Dim.symbol(symbol) for symbol in hints}
        context = Context({**numbers, **hints}, self.domain)
        names = SymbolTable(symbols, context.hints)
        values = {**params, **_as_values(hints)}
        inputs = {
            port: matcher.inside(port, pattern, names, values)
            if pattern and given.get(port)
            else None
            for port, pattern in scope.inputs.items()
        }
        return Instance(scope, params, context, inputs, names=names, values=values)


def _group_instance(
    scope: Scope, outer: Instance, inputs: Inputs, counter: int | None
) -> Instance:
    context, names, values = outer.context, outer.names, outer.values
    if counter is not None:
        context = Context({**context.hints, COUNTER: Dim.of(counter)}, context.domain)
        symbols = {**names, COUNTER: Dim.symbol(COUNTER)}
        names, values = (
            SymbolTable(symbols, context.hints),
            {**values, COUNTER: counter},
        )
    return Instance(
        scope, outer.params, context, dict(inputs), names=names, values=values
    )


def _pay(before: int, count: int, limit: int, what: str) -> None:
    if before <= limit < count:
        message = f"the network expands into more than {limit:,} {what}"
        raise OpError("too-large", message)
    if count > limit:
        raise Skip


def _as_values(hints: Mapping[str, Dim]) -> dict[str, Value]:
    return {
        name: size if size.constant is None else size.constant
        for name, size in hints.items()
    }


def _key(inputs: Inputs, caller: Context) -> tuple[Any, ...]:
    return tuple(
        (port, None if kind is None else caller.values(kind))
        for port, kind in inputs.items()
    )
