"""Check where conditions ask for inputs: `when: given(mask)`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.diagnostics.diagnostic import Report
from compiler.elaborate.check_names import formulas
from compiler.expr.given import asked_inputs
from compiler.expr.syntax import Expression, Given, LogicalOperation, UnaryOperation
from compiler.ir.graph import Place
from compiler.language.layers import Layer


def check_given(
    layer: Layer, arguments: Mapping[str, Any], place: Place, report: Report
) -> Iterator[tuple[Given, Place]]:
    """Report every question for an input in the wrong place; the others, each with the place of its condition."""
    for path, formula in formulas(layer, arguments):
        asked = sorted(asked_inputs(formula.expr), key=lambda one: one.start)
        if not asked:
            continue
        at = place.at(*path)
        if path != ("when",):
            help = "what a layer is, and with what arguments, is known when the network is built"
            message = "`given` is for the `when` of a layer"
            report.error("bad-when", _span(at, asked[0]), message, help=help)
        elif layer.repeat is not None:
            message = "the copies of a layer go on from one another: `given` has no say in how many there are"
            help = "repeat the layer inside a group that has the `when`"
            report.error("bad-when", at.span(), message, help=help)
        else:
            _check_form(formula.expr, asked, at, report)
            yield from ((one, at) for one in asked)


def _check_form(
    condition: Expression, asked: list[Given], place: Place, report: Report
) -> None:
    plain = list(map(id, _plain(condition)))
    names: set[str] = set()
    for one in asked:
        message = ""
        if id(one) not in plain:
            message = "`given` stands under `and`, `or` and `not` alone"
        elif one.input in names:
            message = f"a condition asks for {one.input} once"
        if message:
            report.error("bad-when", _span(place, one), message)
        names.add(one.input)


def _plain(expr: Expression) -> Iterator[Given]:
    """The questions that only `and`, `or` and `not` stand above."""
    match expr:
        case Given():
            yield expr
        case UnaryOperation("not", operand):
            yield from _plain(operand)
        case LogicalOperation(_, operands):
            for one in operands:
                yield from _plain(one)


def _span(place: Place, asked: Given) -> Any:
    return place.part(asked.start, asked.end)
