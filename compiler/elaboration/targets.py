"""What `op` names, and the arguments it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.binding import Problem, check_arguments
from compiler.diagnostics import Report, suggest
from compiler.expressions import ExpressionError, parse_expression
from compiler.fields import Formula
from compiler.graph import OpParam, Place, Scope
from compiler.op import Op
from compiler.registry import ops
from compiler.source import Span
from compiler.spec import Layer, Param

Target = type[Op] | Scope | OpParam


class Targets:
    """The ops and blocks that a file can name."""

    def __init__(self, blocks: Mapping[str, Scope]) -> None:
        self.blocks = blocks
        self.used: set[str] = set()

    def find(
        self, name: str, scope: Scope, place: Place, report: Report
    ) -> Target | None:
        """The op or block of a name; `$norm` is what the param says."""
        if name.startswith("$"):
            return self._param(name[1:], scope, place, report)
        found: Target | None = self.blocks.get(name) or ops().get(name)
        if found is None:
            code = "unknown-block" if name[:1].isupper() else "unknown-op"
            what = "block" if code == "unknown-block" else "op"
            help = (
                suggest(name, [*self.blocks, *ops()])
                or f"`ops` lists the ops{_listed(self.blocks)}"
            )
            report.error(code, op_span(place), f"there is no {what} {name}", help=help)
        self.used.add(name)
        return found

    def _param(
        self, name: str, scope: Scope, place: Place, report: Report
    ) -> OpParam | None:
        param = scope.params.get(name)
        if param is None or param.type != "op":
            message = (
                f"{name} is not a param of type op"
                if param
                else f"there is no param {name}"
            )
            report.error(
                "unknown-param",
                op_span(place),
                message,
                help=suggest(name, scope.params) or "",
            )
            return None
        return OpParam(name)


def op_span(place: Place) -> Span:
    """Where a layer names its op: the value of `op`, or the whole of a bare string."""
    return place.span("op")


def _listed(blocks: Mapping[str, Scope]) -> str:
    return f"; the blocks here are {', '.join(blocks)}" if blocks else ""


def output_ports(target: Target) -> tuple[str, ...] | None:
    """The names of a target's outputs, where they are known before its arguments are."""
    if isinstance(target, OpParam):
        return None
    return target.declared if isinstance(target, Scope) else target.outputs


def bind_arguments(
    target: Target, layer: Layer, place: Place, report: Report
) -> dict[str, Any]:
    """The arguments of a layer with formulas parsed; those of `$norm` are left until it is known."""
    if isinstance(target, OpParam):
        return dict(layer.arguments)
    if isinstance(target, Scope):
        return block_arguments(target, layer.arguments, place, report)
    arguments, problems = check_arguments(target, layer.arguments)
    for problem in problems:
        report.error(
            problem.code,
            problem_span(place, problem),
            problem.message,
            help=problem.help,
        )
    return arguments


def problem_span(place: Place, problem: Problem) -> Span:
    """Where a mistake in the arguments of a layer stands."""
    if problem.offsets:
        return place.at(*problem.place).part(*problem.offsets)
    return place.span(*problem.place, key=problem.key)


def block_arguments(
    block: Scope, written: Mapping[str, Any], place: Place, report: Report
) -> dict[str, Any]:
    """The arguments for the params of a block."""
    arguments: dict[str, Any] = {}
    for key, value in written.items():
        param = block.params.get(key)
        if param is None:
            help = (
                suggest(key, block.params)
                or f"{block.name} takes {', '.join(block.params) or 'no params'}"
            )
            report.error(
                "unknown-argument",
                place.span(key, key=True),
                f"{block.name} has no param {key}",
                help=help,
            )
        else:
            arguments[key] = _argument(param, value, place.at(key), report)
    for key, param in block.params.items():
        if param.required and key not in written:
            report.error(
                "missing-argument",
                op_span(place),
                f"{block.name} needs {key}",
                help=f"{key}: {param.type}",
            )
    return arguments


def _argument(param: Param, value: Any, place: Place, report: Report) -> Any:
    if isinstance(value, list):
        return tuple(
            _argument(param, item, place.at(i), report) for i, item in enumerate(value)
        )
    if not isinstance(value, str):
        return value
    text = param.type in ("str", "op", "str[]")
    if text and not value.startswith("$"):
        return value
    try:
        return Formula(parse_expression(value.removeprefix("$")), value)
    except ExpressionError as error:
        report.error(
            "bad-expression", place.part(error.start, error.end), error.message
        )
        return None
