"""Where a value may go that is absent while its layer is off: `else: null`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from compiler.diagnostics.diagnostic import Report
from compiler.expr.given import asked_inputs
from compiler.expr.syntax import (
    Expression,
    Given,
    LogicalOperation,
    UnaryOperation,
)
from compiler.ir.graph import Node, Ref, Scope, may_lack
from compiler.op.arg_types import Formula
from compiler.op.op import Op

Target = type[Op] | Scope
Refs = Mapping[str, Ref | tuple[Ref, ...]]


def takes_none(target: Target, port: str) -> bool:
    """Whether an input of an op, a block or a group may be absent.

    A group takes whatever comes: its layers say what they need.
    """
    if isinstance(target, Scope):
        pattern = target.inputs.get(port)
        return target.kind == "group" or (pattern is not None and pattern.optional)
    found = (one for one in target.inputs if one.name == port)
    return any(one.optional and not one.variadic for one in found)


def absent_source(scope: Scope, ref: Ref) -> Node | None:
    """The layer that has no value where it is off, if a value is of one; a group takes what is around it."""
    node = scope.nodes.get(ref.node)
    if node is not None:
        absent = node.may_be_absent or may_lack(node, ref.port)
        return node if absent else None
    if scope.kind != "group" or scope.parent is None:
        return None
    for group in scope.parent.groups.get(id(scope), ()):
        given = group.inputs.get(ref.node)
        if not isinstance(given, Ref):
            continue
        source = absent_source(scope.parent, given)
        if source is not None and not _has(group, source, given):
            return source
    return None


def check_absence(
    scope: Scope, node: Node, target: Target, refs: Refs, report: Report
) -> bool:
    """Report every input of a layer that may be absent and is needed; whether there is none.

    What is absent under a condition may be read under the same one, or one that asks for more.
    """
    right = True
    for number, (port, ref) in enumerate(_each(node, refs)):
        source = absent_source(scope, ref)
        if source is None:
            continue
        fault = _fault(node, target, port, source, ref, first=number == 0)
        if fault:
            message, help = fault
            span = node.place.document.locate(ref.path)
            report.error(
                "missing-input", span, f"{ref} may be absent: {message}", help=help
            )
            right = False
    return right


def may_be_missing(scope: Scope, name: str) -> bool:
    """Whether an input of a scope may be absent: an optional one, or one of a group that is given such a value."""
    pattern = scope.inputs.get(name)
    if pattern is not None or scope.kind != "group" or scope.parent is None:
        return pattern is not None and pattern.optional
    if absent_source(scope, Ref(name)) is not None:
        return True
    outer = scope.parent
    given = (one.inputs.get(name) for one in outer.groups.get(id(scope), ()))
    return any(
        isinstance(ref, Ref)
        and ref.node not in outer.nodes
        and may_be_missing(outer, ref.node)
        for ref in given
    )


def check_asked(scope: Scope, report: Report) -> bool:
    """Report every condition of a group that asks for what is always given; whether there is none."""
    right = True
    for node in scope.nodes.values() if scope.kind == "group" else ():
        when, place = node.layer.when, node.place.at("when")
        for one in asked_inputs(when.expr) if isinstance(when, Formula) else ():
            if not may_be_missing(scope, one.input):
                message = f"{one.input} is always given"
                report.error("bad-when", place.part(one.start, one.end), message)
                right = False
    return right


def check_outputs(scope: Scope, report: Report) -> bool:
    """Report every output of a scope that may be absent and says it is not, or the other way round.

    Whether there is none.
    """
    right = True
    for name, ref in scope.outputs.items():
        inside = ref.node in scope.nodes
        absent = absent_source(scope, ref) is not None
        span = scope.place.document.locate(ref.path)
        if absent and name not in scope.optional:
            right = False
            message = f"{ref.node} may be absent, and the output {name} is always given"
            help = (
                f"name a value that takes its place, else: x, or write {name}: {ref}?"
            )
            report.error("missing-input", span, message, help=help)
        elif name in scope.optional and inside and not absent:
            right = False
            message = f"{ref} is always there, and the output {name} may be absent"
            help = "what may be absent has `when`, and else: null"
            report.error("bad-when", span, message, help=help)
    return right


def check_repeated_outputs(node: Node, target: Target, report: Report) -> bool:
    """Report copies and steps of a block whose outputs may be absent; whether it is none."""
    keys = node.layer
    if not isinstance(target, Scope) or not target.optional & target.outputs.keys():
        return True
    if keys.repeat is None and keys.scan is None:
        return True
    what = "each copy" if keys.scan is None else "each step of a scan"
    message = f"{what} gives all of its outputs, and one of {target.name} may be absent"
    key = "repeat" if keys.scan is None else "scan"
    report.error(f"bad-{key}", node.place.span(key), message)
    return False


def _each(node: Node, refs: Refs) -> Iterator[tuple[str, Ref]]:
    for port, given in refs.items():
        yield from (
            (port, ref) for ref in (given if isinstance(given, tuple) else (given,))
        )
    yield from (
        ("carry", one.ref) for one in node.carry.values() if one.ref is not None
    )
    if node.otherwise is not None and not node.may_be_absent:
        yield "else", node.otherwise


def _fault(
    node: Node, target: Target, port: str, source: Node, ref: Ref, *, first: bool
) -> tuple[str, str] | None:
    """What is wrong with reading a value that may be absent, and what to write instead.

    A layer that is off passes on the first of its inputs; the others may be absent with it.
    """
    if port == "else":
        lacks = may_lack(source, ref.port)
        if (
            not lacks
            and _opposite(node.layer.when) == _asked(source.layer.when) is not None
        ):
            return None
        return "`else` needs a value", ""
    if node.layer.scan is not None:
        return (
            "each step of a scan needs its inputs",
            "give the block another layer's value",
        )
    if takes_none(target, port):
        return None
    if may_lack(source, ref.port):
        return f"{port} needs a value", "give it to an optional input or output"
    same = f"give it the condition of {source.name}, and else: null"
    if not runs_with(node, source):
        return f"{port} needs a value", same
    if first and node.otherwise is None:
        return "it is passed on where `when` is false", "write else: null"
    return None


def _asked(when: Formula | bool | None) -> tuple[str, bool] | None:
    """The input of which a condition asks for nothing but whether it is there, and whether it is to be."""
    match when.expr if isinstance(when, Formula) else None:
        case Given(name):
            return name, True
        case UnaryOperation("not", Given(name)):
            return name, False
    return None


def _has(node: Node, source: Node, ref: Ref) -> bool:
    """Whether a layer runs only where there is a value of another one."""
    return not may_lack(source, ref.port) and runs_with(node, source)


def _opposite(when: Formula | bool | None) -> tuple[str, bool] | None:
    asked = _asked(when)
    return asked and (asked[0], not asked[1])


def runs_with(node: Node, source: Node) -> bool:
    """Whether a layer runs only where another one does."""
    return _conditions(source.layer.when) <= _conditions(node.layer.when)


def runs_as(node: Node, source: Node) -> bool:
    """Whether a layer runs where another one does, and nowhere else."""
    return _conditions(source.layer.when) == _conditions(node.layer.when)


def _conditions(when: Formula | bool | None) -> set[Expression | bool]:
    """The conditions of which all must hold."""
    if not isinstance(when, Formula):
        return set() if when is None else {when}
    expr = when.expr
    if isinstance(expr, LogicalOperation) and expr.op == "and":
        return set(expr.operands)
    return {expr}
