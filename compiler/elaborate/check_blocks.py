"""Check the declarations of a block: inputs determine all dimensions, defaults use known names."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.diagnostics import suggestions
from compiler.diagnostics.diagnostic import Report
from compiler.expr.syntax import Variable, variables
from compiler.ir.graph import Place, Scope
from compiler.language.params import TYPE_NAMES
from compiler.op.arg_types import Formula
from compiler.op.registry import op_names


def check_patterns(block: Scope, report: Report) -> None:
    """Report every symbol that is only in formulas, so that no input determines it."""
    dims = [
        (port, dim)
        for port, pattern in block.inputs.items()
        if pattern is not None
        for dim in pattern.dims
    ]
    bound = {dim.id for _, dim in dims if isinstance(dim, Variable)}
    check_defaults(block, bound, block.place, report)
    known = bound | set(block.params)
    for port, dim in dims:
        for part in variables(dim):
            name, place = part.id, block.place.at("inputs", port)
            if name in known:
                continue
            message = f"no input of {block.name} gives {name} its size"
            help = (
                report.like(name, known)
                or f"an input that has {name} alone as a dimension does, or a param"
            )
            span = place.part(part.start, part.end)
            report.error("unbound-dimension", span, message, help=help)


def check_defaults(
    scope: Scope, symbols: set[str], home: Place, report: Report
) -> None:
    """Report every name in the default of a param that is neither a dimension nor an earlier param."""
    known = set(symbols)
    for param in scope.params:
        for formula, place in _formulas(scope, home, param):
            for part in variables(formula.expr):
                name = part.id
                if name in known:
                    continue
                span = place.part(part.start, part.end)
                later = name in scope.params
                message = f"there is no param or dimension {name} in {scope.name}"
                if later:
                    message = f"{param} uses {name}, which does not stand before it"
                help = suggestions.NAMES.get(name) or report.like(name, known) or ""
                if not help and not later:
                    help = _type_in_a_default(name, part is formula.expr)
                if part is formula.expr and not help and not later:
                    kind = "op" if name in op_names() else "str"
                    help = f"text is declared: {{type: {kind}, default: {name}}}"
                report.error("unknown-name", span, message, help=help, missing=name)
        known.add(param)


def _type_in_a_default(name: str, alone: bool) -> str:
    """What to write where a name in a default is a type of another tool, or `[int]` is a list's."""
    if name in TYPE_NAMES:  # which alone is no default
        return f"the type of a list of them is `{name}[]`"
    return suggestions.param_type(name) if alone else ""


def _formulas(scope: Scope, home: Place, param: str) -> Iterator[tuple[Formula, Place]]:
    """The formulas of a param's default, with their places."""
    place = home.at("params", param)
    if place.has("default"):
        place = place.at("default")
    default = scope.params[param].default
    if isinstance(default, Formula):
        yield default, place
    for position, item in enumerate(default if isinstance(default, list) else ()):
        if isinstance(item, Formula):
            yield item, place.at(position)
