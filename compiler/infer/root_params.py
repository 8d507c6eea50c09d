"""The params of a network: defaults of the spec, a variant over them, settings over both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.diagnostics.diagnostic import Report, suggest
from compiler.diagnostics.text import listed
from compiler.infer.param_values import (
    default_place,
    default_value,
    fits,
    formula_value,
)
from compiler.ir.graph import Graph, Place
from compiler.language.params import Param
from compiler.op.arg_types import Formula
from compiler.symbolic.evaluate import ExpressionError, Value, parse_expression


def root_params(
    graph: Graph, variant: str, settings: Mapping[str, Any], report: Report
) -> dict[str, Value] | None:
    """The value of every param; None if one is missing or invalid. Errors are in the report."""
    chosen = _variant(graph, variant, report)
    _check_names(graph, settings, report)
    params: dict[str, Value] = {}
    for name, param in graph.spec.params.items():
        value, place = _value(
            graph, name, param, variant, chosen, settings, params, report
        )
        if value is None:
            continue
        if wrong := fits(param, value):
            report.error("bad-value", place.span(), f"{name} {wrong}")
        params[name] = value
    return None if report.failed else params


def _variant(graph: Graph, variant: str, report: Report) -> Mapping[str, Any]:
    if variant and variant not in graph.spec.variants:
        known = listed(graph.spec.variants)
        help = suggest(variant, graph.spec.variants) or f"the variants are: {known}"
        report.error(
            "unknown-variant",
            Place(graph.document, ("variants",)).span(),
            f"there is no variant {variant}",
            help=help,
        )
    return graph.spec.variants.get(variant, {})


def _check_names(graph: Graph, settings: Mapping[str, Any], report: Report) -> None:
    for key in settings:
        if key not in graph.spec.params:
            help = (
                suggest(key, graph.spec.params)
                or f"the params are: {listed(graph.spec.params)}"
            )
            report.error(
                "unknown-param",
                Place(graph.document, ("params",)).span(),
                f"there is no param {key}",
                help=help,
            )


def _value(
    graph: Graph,
    name: str,
    param: Param,
    variant: str,
    chosen: Mapping[str, Any],
    settings: Mapping[str, Any],
    params: Mapping[str, Value],
    report: Report,
) -> tuple[Value | None, Place]:
    place = Place(graph.document, ("params", name))
    if settings.get(name) is not None:
        return _tupled(settings[name]), place
    if name in chosen:
        place = Place(graph.document, ("variants", variant, name))
        written = _written(param, chosen[name], place, report)
        return formula_value(written, params, place, report), place
    if param.required:
        message = (
            f"{name} has no value: the network needs a default for it, or a setting"
        )
        report.error("missing-argument", place.span(), message)
        return None, place
    return default_value(param, params, place, report), default_place(place)


def _written(param: Param, value: Any, place: Place, report: Report) -> Any:
    """The value that a variant gives: text is a formula, unless the param is text."""
    if isinstance(value, list):
        items = (
            _written(param, item, place.at(i), report) for i, item in enumerate(value)
        )
        return tuple(items)
    if not isinstance(value, str) or param.type in ("str", "op", "str[]"):
        return value
    try:
        return Formula(parse_expression(value), value)
    except ExpressionError as error:
        span = place.part(error.start, error.end)
        report.error("bad-expression", span, error.message)
        return None


def _tupled(value: Any) -> Any:
    return tuple(_tupled(item) for item in value) if isinstance(value, list) else value
