"""The inputs of a network: the symbols of their types, and the values that these admit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.limits import Limits
from compiler.expr.syntax import Expression, names_in
from compiler.infer.instances import InstanceBuilder
from compiler.infer.param_values import formula_value, name_values
from compiler.ir.graph import Graph, Place, Scope
from compiler.language import identifiers as rules
from compiler.op.context import Context
from compiler.symbolic.dims import Dim
from compiler.symbolic.domain import Budget, Constraint, Domain
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.symbol_table import SymbolTable
from compiler.symbolic.symbols import NETWORKS, InputDim, Symbol
from compiler.symbolic.tensor import TensorType, TypePattern


def root_instance(
    scope: Scope,
    params: Mapping[str, Value],
    domain: Domain,
    report: Report,
    given: frozenset[str],
    absent: frozenset[str] = frozenset(),
    asks: bool = False,
) -> InstanceBuilder:
    """A network before its layers are inferred; each symbol of its inputs is free.

    Args:
        given: the params that a variant or a setting gives a value.
        absent: the optional inputs that it is without.
        asks: whether layers ask for optional inputs.
    """
    symbols = {
        name: Dim.symbol(InputDim(NETWORKS, name))
        for name in _symbols(scope, report, absent)
    }
    named, hints = name_values(NETWORKS, params)
    env = SymbolTable({**named, **symbols}, hints, NETWORKS)
    values: dict[str, Value] = {**params, **symbols}
    inputs: dict[str, TensorType | None] = {}
    for port, pattern in scope.inputs.items():
        assert pattern is not None
        place = scope.place.at("inputs", port)
        here = port not in absent
        inputs[port] = _type(pattern, env, values, place, report) if here else None
    context = Context(hints, domain)
    optional = (port for port, kind in scope.inputs.items() if kind and kind.optional)
    open = frozenset(optional if asks else ())
    return InstanceBuilder(scope, params, context, inputs, env, values, given, open)


def _symbols(scope: Scope, report: Report, absent: frozenset[str]) -> list[str]:
    found: dict[str, None] = {}
    optional = ""
    for port, pattern in scope.inputs.items():
        assert pattern is not None
        place = scope.place.at("inputs", port)
        if pattern.ellipsis is not None:
            message = "`...` is for blocks: a network's inputs are always the same"
            report.error("bad-value", place.span(), message)
        if optional and not pattern.optional:
            message = f"{port} is always there, and must stand before {optional}"
            report.error("bad-value", place.span(key=True), message)
        optional = port if pattern.optional else optional
        if port in absent:
            continue
        for name, size in (
            (name, dim)
            for dim in pattern.dims
            for name in sorted(names_in(dim))
            if name not in scope.params
        ):
            if rules.symbol_name(name):
                help = (
                    report.like(name, scope.params)
                    or "a symbolic dimension starts with a capital: B, T, H"
                )
                span = place.part(size.start, size.end)
                message = f"there is no param {name}"
                report.error("unknown-name", span, message, help=help, missing=name)
            found[name] = None
    return list(found)


def _type(
    pattern: TypePattern,
    env: SymbolTable,
    values: Mapping[str, Value],
    place: Place,
    report: Report,
) -> TensorType | None:
    shape = [_dim(dim, env, values) for dim in pattern.dims]
    for written, dim in zip(pattern.dims, shape, strict=True):
        span = place.part(written.start, written.end)
        if isinstance(dim, str):
            report.error("bad-expression", span, dim)
            continue
        known = dim.substitute(env.hints).constant
        if known is not None and known < 1:
            message = f"a size of an input is at least 1, and this is {known}"
            help = "a size that varies is a symbol, such as B or T"
            report.error("bad-value", span, message, help=help)
    if pattern.ellipsis is not None or any(isinstance(dim, str) for dim in shape):
        return None
    return TensorType(pattern.kind, tuple(dim for dim in shape if isinstance(dim, Dim)))


def _dim(expr: Expression, env: SymbolTable, values: Mapping[str, Value]) -> Dim | str:
    """The size in the names of the network, or what is wrong with it."""
    try:
        plain = evaluate(expr, values)
    except ExpressionError as error:
        return error.message
    if isinstance(plain, bool) or not isinstance(plain, int | Dim):
        return f"a size is an integer, and this is {plain}"
    return Dim.of(env.size(expr, plain))


def read_domain(
    graph: Graph, params: Mapping[str, Value], limits: Limits, report: Report
) -> Domain:
    """The constraints in `dims`."""
    constraints: dict[Symbol, Constraint] = {}
    known = {
        name
        for scope in graph.networks.values()
        for kind in scope.inputs.values()
        if kind
        for dim in kind.dims
        for name in names_in(dim)
    }
    for name, bounds in graph.spec.dims.items():
        place = Place(graph.document, ("dims", name))
        if graph.networks and name not in known:
            report.error(
                "unknown-name",
                place.span(key=True),
                f"no input has a dimension {name}",
                help=report.like(name, known),
            )
        given: dict[str, Any] = {}
        for key in ("min", "max", "multiple_of"):
            value = formula_value(getattr(bounds, key), params, place.at(key), report)
            given[key] = value
            if value is not None and (
                isinstance(value, bool)
                or not isinstance(value, int)
                or value < (key != "min")
            ):
                report.error(
                    "bad-value",
                    place.span(key),
                    f"{key} is an integer above 0, and this is {value}",
                )
                given[key] = None
        constraint = Constraint(
            given["min"] or 1, given["max"], given["multiple_of"] or 1
        )
        if constraint.max is not None and constraint.max < constraint.min:
            report.error(
                "bad-value",
                place.span(),
                f"no size is at least {constraint.min} and at most {constraint.max}",
            )
            continue
        constraints[InputDim(NETWORKS, name)] = constraint
    return Domain(constraints, Budget(limits.proofs))
