"""Resolve `op`, and check its arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.diagnostics import suggestions
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.other_names import NO_GUESS, argument, op_help, written_out
from compiler.diagnostics.replacement import Replacement, did_you_mean
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import listed, shorten
from compiler.ir.graph import Alternatives, Node, OpParam, Place, Ref, Scope
from compiler.language.layers import Layer
from compiler.language.params import Param
from compiler.op.arg_types import Formula, after_dollar
from compiler.op.binding import check_arguments
from compiler.op.op import Op
from compiler.op.registry import find_op, op_names
from compiler.symbolic.evaluate import ExpressionError, parse_expression

Target = type[Op] | Scope | OpParam


class Targets:
    """The ops and blocks that a file can name."""

    def __init__(self, blocks: Mapping[str, Scope]) -> None:
        self.blocks = blocks
        self.used: set[str] = set()

    def find(
        self, name: str, scope: Scope, place: Place, report: Report
    ) -> Target | None:
        """The op or block of a name; `$norm` refers to a param."""
        if name.startswith("$"):
            return self._param(name[1:], scope, place, report)
        found: Target | None = self.blocks.get(name) or find_op(name)
        if found is None:
            self._report(name, scope, place, report)
        self.used.add(name)
        return found

    def _report(self, name: str, scope: Scope, place: Place, report: Report) -> None:
        word = name.rpartition(".")[2] or name  # nn.ReLU
        block = name[:1].isupper()
        like = op_help(name) or written_out(name) or report.like(word, op_names())
        if isinstance(like, Replacement):
            like = did_you_mean(name, like.right)  # in place of all: `nn.ReLU`
        help = report.like(word, self.blocks) if block or not like else like
        help = help or like or f"{NO_GUESS}{_known_blocks(self.blocks)}"
        param = scope.params.get(name)
        if param is not None and param.kind in ("op", "str"):
            help = f"write ${name} for the op that the param {name} says"
        block = block and help != like
        code, what = ("unknown-block", "block") if block else ("unknown-op", "op")
        message = f"there is no {what} {shorten(name)}"
        report.error(code, op_span(place), message, help=help, missing=name)

    def _param(
        self, name: str, scope: Scope, place: Place, report: Report
    ) -> OpParam | None:
        param = scope.params.get(name)
        if param is None or param.type != "op":
            help = report.like(name, scope.params) or _listed_params(scope)
            message = f"there is no param {shorten(name)} in {scope.name}"
            if param is not None:
                message = f"{name} is not a param of type op"
                help = f"declare it as {name}: {{type: op, default: ...}}"
            report.error(
                "unknown-param", op_span(place), message, help=help, missing=name
            )
            return None
        return OpParam(name)


def op_span(place: Place) -> Span:
    """Where a layer names its op: the value of `op`, or the whole of a bare string."""
    return place.span("op")


def _listed_params(scope: Scope) -> str:
    return f"its params are {listed(scope.params)}"


def _known_blocks(blocks: Mapping[str, Scope]) -> str:
    return f"; the blocks here are {listed(blocks)}" if blocks else ""


def output_ports(node: Node) -> tuple[str, ...] | None:
    """The names of a layer's outputs, where they are known before its arguments are."""
    target, repeat = node.target, node.layer.repeat
    if isinstance(target, OpParam):
        return None
    if isinstance(target, Alternatives):
        found = [output_ports(one) for one in target.nodes]
        first = found[0]
        if first is None or None in found:
            return None
        return tuple(one for one in first if all(one in (own or ()) for own in found))
    ports = target.declared if isinstance(target, Scope) else target.outputs
    if repeat is None or not ports:
        return ports
    return (*ports, *repeat.stack, *repeat.collect)


def is_item(node: Node, ref: Ref) -> bool:
    """Whether a value is an item of a list that a layer collects."""
    repeat, item = node.layer.repeat, ref.item
    return repeat is not None and item is not None and item[0] in repeat.collect


def bind_arguments(
    target: Target, layer: Layer, place: Place, report: Report
) -> dict[str, Any]:
    """The arguments of a layer with formulas parsed; those of `$norm` are left until it is known."""
    if isinstance(target, OpParam):
        return dict(layer.arguments)
    if isinstance(target, Scope):
        return block_arguments(target, layer.arguments, place, report)
    arguments, errors = check_arguments(target, layer.arguments)
    for error in errors:
        span = error.span(place.document, place.path)
        report.error(error.code, span, error.message, help=error.help)
    return arguments


def block_arguments(
    block: Scope, written: Mapping[str, Any], place: Place, report: Report
) -> dict[str, Any]:
    """The arguments for the params of a block."""
    arguments: dict[str, Any] = {}
    meant: set[str] = set()
    for key, value in written.items():
        param = block.params.get(key)
        if param is None:
            named = argument(key, block.params)
            like = did_you_mean(key, named) if named else report.like(key, block.params)
            meant.add(like)
            help = (
                like
                or suggestions.ARGUMENTS.get(key)
                or f"{block.name} takes {listed(block.params, 'no params')}"
            )
            report.error(
                "unknown-argument",
                place.span(key, key=True),
                f"{block.name} has no param {shorten(key)}",
                help=help,
            )
        else:
            arguments[key] = _argument(key, param, value, place.at(key), report)
    for key, param in block.params.items():
        misspelt = f"did you mean `{key}`?" in meant
        if param.required and key not in written and not misspelt:
            report.error(
                "missing-argument",
                op_span(place),
                f"{block.name} needs {key}",
                help=f"{key}: {param.type}",
            )
    return arguments


def _argument(key: str, param: Param, value: Any, place: Place, report: Report) -> Any:
    if isinstance(value, list):
        return tuple(
            _argument(key, param, item, place.at(i), report)
            for i, item in enumerate(value)
        )
    if value is None or isinstance(value, dict):
        what = "empty" if value is None else "a mapping"
        message = f"{key} must be {param.kind or 'a value'}, and is {what}"
        report.error("bad-type", place.span(), message)
        return None
    if not isinstance(value, str):
        return value
    text = param.type in ("str", "op", "str[]")
    if text and not value.startswith("$"):
        return value
    try:
        return Formula(parse_expression(after_dollar(value)), value)
    except ExpressionError as error:
        span = place.part(error.start, error.end)
        report.error("bad-expression", span, error.message)
        return None
