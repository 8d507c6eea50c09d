"""Check the names in the formulas of a layer: params, dimensions, and the counter of a repeat."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from compiler.diagnostics import suggestions
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import listed
from compiler.expr.syntax import Expression, variables
from compiler.ir.graph import Place, Scope
from compiler.language.choice import Choice
from compiler.language.layers import Layer
from compiler.language.model import Model
from compiler.op.arg_types import Formula
from compiler.parse.document import ScalarNode
from compiler.symbolic.symbol_table import COUNTER


def check_sizes(
    scope: Scope, sizes: Iterable[Expression], place: Place, report: Report
) -> None:
    """Report every unknown name in the shape at a place."""
    known, around = scope.environment.visible, _repeat_around(scope)
    for name in (name for size in sizes for name in variables(size)):
        if name.id == COUNTER and around is not None and _is_shared(around):
            _report_shared(place.part(name.start, name.end), report)
        elif name.id not in known and not (name.id == COUNTER and around):
            span = place.part(name.start, name.end)
            message = (
                f"there is no param or dimension {name.id} in {scope.environment.name}"
            )
            help = report.like(name.id, known) or _known_names(known, report)
            report.error("unknown-name", span, message, help=help, missing=name.id)


def check_names(
    scope: Scope,
    layer: Layer,
    arguments: Mapping[str, Any],
    place: Place,
    report: Report,
) -> None:
    """Report every unknown name in the formulas of a layer."""
    known = scope.environment.visible
    around = _repeat_around(scope)
    inside = around is not None
    shared_around = around is not None and _is_shared(around)
    for path, formula in formulas(layer, arguments):
        own = layer.repeat if path[0] != "repeat" else None
        shared = shared_around if own is None else own.share
        for name in variables(formula.expr):
            of_copies = inside or own is not None
            if name.id == COUNTER and of_copies and COUNTER in known:
                span = place.at(*path).part(name.start, name.end)
                message = f"{COUNTER} is the number of the copy here, and a param of {scope.environment.name}, too"
                help = "give the param another name"
                report.error("duplicate-name", span, message, help=help)
            elif name.id == COUNTER and shared:
                _report_shared(place.at(*path).part(name.start, name.end), report)
            if name.id not in known and not (of_copies and name.id == COUNTER):
                span = place.at(*path).part(name.start, name.end)
                message = f"there is no param or dimension {name.id} in {scope.environment.name}"
                help = suggestions.NAMES.get(name.id) or report.like(name.id, known)
                help = help or _known_names(known, report)
                if name.id.islower() and help.startswith("known here"):
                    help += f"; a param is declared: params: {{{name.id}: 64}}"
                report.error(
                    "unknown-name",
                    span,
                    message,
                    help=help,
                    missing=name.id,
                )


def formulas(
    layer: Layer, arguments: Mapping[str, Any]
) -> Iterator[tuple[tuple[str | int, ...], Formula]]:
    """The formulas of a layer with their paths below it."""
    for key, value in arguments.items():
        yield from _formulas((key,), value)
    for number, one in enumerate(layer.choose or ()):
        yield from _formulas(("choose", number, "when"), one.when)
    for key, value in layer.keys.items():
        if key not in ("layers", "choose"):  # each of which looks at its own
            yield from _formulas((key,), value)


def _formulas(
    path: tuple[str | int, ...], value: Any
) -> Iterator[tuple[tuple[str | int, ...], Formula]]:
    """The formulas in what stands at a path."""
    if isinstance(value, Formula):
        yield path, value
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            yield from _formulas((*path, place), item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _formulas((*path, key), item)
    elif isinstance(value, Model):
        if isinstance(value, Choice):
            path = (*path, value.name)
        for name in type(value).model_fields:
            below = () if name == value.alone else (name,)
            yield from _formulas((*path, *below), getattr(value, name))


def _repeat_around(scope: Scope) -> Place | None:
    """The innermost repeated group that a layer of a scope is in: the layer may use its counter, too."""
    while scope.kind == "group" and scope.parent is not None:
        if scope.place.has("repeat"):
            return scope.place
        scope = scope.parent
    return None


def _is_shared(group: Place) -> bool:
    """Whether the copies of a repeated group share their weights."""
    node = group.document.node(group.at("repeat", "share").path)
    return isinstance(node, ScalarNode) and node.value is True


def _report_shared(span: Span, report: Report) -> None:
    """Report the number of a copy that has no module of its own."""
    message = f"{COUNTER} does not exist here: the copies share their weights"
    help = "copies that share their weights are one module, whose arguments cannot depend on i"
    report.error("bad-share", span, message, help=help)


def _known_names(known: Collection[str], report: Report) -> str:
    """What is known, where it is shown: sorting it for each of many faults takes long."""
    if report.full or not known:
        return ""
    return f"known here: {listed(sorted(known))}"
