"""Check `expect`: the assertions of a spec."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from compiler.diagnostics.diagnostic import Report, suggest
from compiler.diagnostics.text import shorten
from compiler.expr.syntax import Expression, unparse
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import Place, Scope
from compiler.ir.typed import Instance, TypedGraph
from compiler.op.as_yaml import as_yaml
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate
from compiler.symbolic.tensor import TensorType, TypePattern


def check_expectations(typed: TypedGraph, report: Report) -> None:
    """Report every expectation that does not hold. Those of a variant or setting hold for the params themselves."""
    expect = typed.graph.spec.expect
    place = Place(typed.graph.document, ("expect",))
    if expect.parameters is not None and _as_written(typed):
        _check_parameters(typed, expect.parameters, place.at("parameters"), report)
    for name, pattern in expect.types.items():
        _check_type(typed, name, pattern, place.at(name), report)


def _as_written(typed: TypedGraph) -> bool:
    """Whether the params have the defaults of the spec, for which its numbers are meant."""
    return not typed.adjusted


def _check_parameters(
    typed: TypedGraph, wanted: Any, place: Place, report: Report
) -> None:
    counter = ParameterCounter()
    counts = {
        name: counter.instance(instance) for name, instance in typed.networks.items()
    }
    expected = wanted if isinstance(wanted, dict) else {"": wanted}
    for name, number in expected.items():
        at = place.at(name) if name else place
        if name and name not in counts:
            report.error(
                "unknown-network",
                at.span(key=True),
                f"there is no network {name}",
                help=suggest(name, counts) or "",
                missing=name,
            )
            continue
        found = counts[name] if name else sum(counts.values())
        if found != number:
            message = f"there are {found} parameters, not {number}"
            own = counts if isinstance(wanted, dict) else found
            help = _of_base(at, f"parameters: {as_yaml(own)}")
            report.error("expect-mismatch", at.span(), message, help=help)


def _check_type(
    typed: TypedGraph, name: str, pattern: TypePattern, place: Place, report: Report
) -> None:
    found = _find(typed, name)
    if found is None:
        message = f"there is no output or layer {shorten(name)}"
        help = report.like(name, _names(typed))
        span, missing = place.span(key=True), name.partition(".")[0]
        report.error("unknown-layer", span, message, help=help, missing=missing)
        return
    instance, kind = found
    if kind is None:
        return
    try:
        shape = tuple(_dim(evaluate(dim, instance.values), dim) for dim in pattern.dims)
    except ExpressionError as error:
        span = place.part(error.start, error.end)
        report.error(error.code, span, error.message)
        return
    wanted = TensorType(pattern.kind, shape)
    same = wanted.kind == kind.kind and wanted.rank == kind.rank
    context = instance.context
    if not same or not all(
        context.domain.equal(a, context.value(b))
        for a, b in zip(shape, kind.shape, strict=True)
    ):
        message = f"{name} is {context.values(kind)}, not {wanted}"
        help = _of_base(place, f"{name}: {context.values(kind)}")
        report.error("expect-mismatch", place.span(), message, help=help)


def _of_base(place: Place, entry: str) -> str:
    """What a spec writes that extends the one with an expectation that does not hold; "" for its own."""
    document = place.document
    if place.span().file not in document.bases:
        return ""
    name = PurePath(document.source.file).name
    return f"{name} changes that: write {entry} under `expect` there"


def _dim(value: Value, expr: Expression) -> Dim:
    if isinstance(value, bool) or not isinstance(value, int | Dim):
        raise ExpressionError(f"{unparse(expr)} is not a size", expr.start, expr.end)
    return Dim.of(value)


def _names(typed: TypedGraph) -> Iterator[str]:
    """What an expectation may be of, without the layers inside of others."""
    for network, instance in typed.networks.items():
        for name in (*instance.outputs, *instance.nodes):
            yield f"{network}.{name}" if network else name


def _find(typed: TypedGraph, name: str) -> tuple[Instance, TensorType | None] | None:
    """The type of an output, or of a layer by its path; in a file of several networks the path starts with one.

    A layer, or an output, that is absent here is there, without a type.
    """
    if "" not in typed.networks:
        network, _, name = name.partition(".")
        instance = typed.networks.get(network)
    else:
        instance = typed.networks[""]
    if instance is not None and name in instance.scope.outputs:
        absent = name in instance.scope.optional
        if absent or name in instance.outputs:
            return instance, instance.outputs.get(name)
    while instance is not None:
        head, _, name = name.partition(".")
        node = instance.nodes.get(head)
        if node is None:
            return None
        if node.node.may_be_absent and not node.calls:
            return instance, None
        if not name or name in node.outputs:
            kind = (
                node.outputs.get(name)
                if name
                else next(iter(node.outputs.values()), None)
            )
            return (instance, kind) if kind is not None else None
        if not isinstance(node.target, Scope) or not node.calls:
            return None
        instance = node.calls[0].instance
    return None
