"""`repeat` in `forward`: a loop over the copies, and what it gathers from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.codegen.python import (
    Expr,
    ListExpr,
    Name,
    TupleExpr,
    call,
    method,
    subscript,
)
from compiler.codegen.statements import Assign, ExprStatement, For, Stmt
from compiler.codegen.traversal import used_names
from compiler.infer.repeats import fed_ports
from compiler.ir.graph import Scope
from compiler.ir.typed import TypedNode
from compiler.lower.constructors import build, count_code
from compiler.lower.forward import Inputs, apply, inputs, module
from compiler.symbolic.tensor import TensorType

if TYPE_CHECKING:
    from compiler.lower.writer import ClassWriter

_LAYER = ("layer", "module")
_BLOCK = ("block", *_LAYER)
"""What the copies of a loop are called."""


def run_loop(writer: ClassWriter, typed: TypedNode) -> None:
    """`repeat`: the outputs of a copy are the inputs of the next."""
    repeat = typed.node.layer.repeat
    assert repeat is not None
    given = inputs(writer, typed)
    ports = _ports(typed)
    fed = fed_ports(ports, list(given))
    state: dict[str, Name] = {}
    for source, port in fed.items():
        state[source] = _state(writer, typed, source, port, given)
        given[port] = _fed(given[port], state[source])
    held = build(writer.trial(), typed, writer.trial().in_loop) is not None
    copies = held and not repeat.share
    holder: Expr = module(typed)
    if copies:
        words = _BLOCK if isinstance(typed.target, Scope) else _LAYER
        holder = Name(writer.variables.copy(*words))
    lists = _lists(writer, typed)
    outer, writer.forward = writer.forward, []
    resolve = writer.in_forward if copies else writer.in_forward_loop
    value = apply(writer, typed, given, holder, resolve)
    lines = writer.forward
    writer.forward = outer
    names = {port: state.get(port) or _last(writer, typed, port) for port in ports}
    kinds = [typed.outputs[port] for port in ports]
    lines.append(Assign((_target(names),), value, comment=writer.comment(kinds)))
    for name, whole in lists.items():
        lines.append(ExprStatement(method(whole, "append", names[repeat.stack[name]])))
    writer.forward.append(_for(writer, typed, copies, holder, tuple(lines)))
    _remember(writer, typed, names)
    _stack(writer, typed, lists)


def _ports(typed: TypedNode) -> list[str]:
    """The outputs of one copy."""
    repeat = typed.node.layer.repeat
    stacks = repeat.stack if repeat is not None else {}
    return [port for port in typed.outputs if port not in stacks]


def _target(names: dict[str, Name]) -> Expr:
    first, *more = names.values()
    return TupleExpr((first, *more)) if more else first


def _remember(writer: ClassWriter, typed: TypedNode, names: dict[str, Name]) -> None:
    writer.values[(typed.node.name, "")] = next(iter(names.values()))
    for port, name in names.items():
        writer.values[(typed.node.name, port)] = name


def _lists(writer: ClassWriter, typed: TypedNode) -> dict[str, Name]:
    """The lists that the loop fills, for the stacks that are used."""
    repeat, name = typed.node.layer.repeat, typed.node.name
    assert repeat is not None
    found: dict[str, Name] = {}
    for stack in repeat.stack:
        if stack in typed.outputs and writer.variables.uses(name, stack):
            plain = stack.removeprefix("all_")
            found[stack] = Name(writer.locals.fresh(f"{plain}_list"))
            kind = subscript(Name("list"), Name("Tensor"))
            comment = _contents(writer, typed.outputs[stack])
            writer.forward.append(Assign((found[stack],), ListExpr(()), kind, comment))
    return found


def _contents(writer: ClassWriter, stacked: TensorType) -> str:
    """`depth of [B, T, D]`, for what is to be stacked."""
    count, *shape = stacked.shape
    number = writer.comment([stacked.with_shape(count)]).strip("[]")
    return f"{number} of {writer.comment([stacked.with_shape(*shape)])}"


def _stack(writer: ClassWriter, typed: TypedNode, lists: dict[str, Name]) -> None:
    for stack, whole in lists.items():
        name = Name(writer.variables.of_output(typed.node.name, stack, stack))
        comment = writer.comment([typed.outputs[stack]])
        value = call("torch.stack", whole)
        writer.forward.append(Assign((name,), value, comment=comment))
        writer.values[(typed.node.name, stack)] = name


def _last(writer: ClassWriter, typed: TypedNode, port: str) -> Name:
    """The variable for an output that is not fed to the next copy."""
    repeat = typed.node.layer.repeat
    stacks = repeat.stack if repeat is not None else {}
    used = [name for name in (port, *stacks) if stacks.get(name, port) == port]
    if not any(writer.variables.uses(typed.node.name, name) for name in used):
        return Name("_")
    wanted = port if len(_ports(typed)) > 1 else typed.node.name
    return Name(writer.variables.of_output(typed.node.name, port, wanted))


def _for(
    writer: ClassWriter,
    typed: TypedNode,
    copies: bool,
    holder: Expr,
    body: tuple[Stmt, ...],
) -> For:
    count = typed.node.layer.repeat.count if typed.node.layer.repeat else 1
    times = count.text if hasattr(count, "text") else str(count)
    if copies:
        return For(holder, module(typed), body, comment=f"{times} times")
    counter = "i" if "i" in used_names(body) else "_"
    return For(
        Name(counter),
        call("range", count_code(typed, writer.in_forward)),
        body,
        comment="",
    )


def _state(
    writer: ClassWriter, typed: TypedNode, source: str, port: str, given: Inputs
) -> Name:
    """The variable that goes from copy to copy, holding the input to begin with."""
    start = given[port]
    start = start[0] if isinstance(start, tuple) else start
    ref = typed.inputs[port]
    ref = ref[0] if isinstance(ref, tuple) else ref
    if (
        isinstance(start, Name)
        and "." not in start.id  # self.start stays what it is
        and writer.variables.may_go_on(ref, start)
    ):
        return start
    wanted = typed.node.name if len(_ports(typed)) == 1 else source
    name = Name(writer.variables.state(typed.node.name, wanted))
    kind = typed.calls[0].inputs[port]
    comment = ""
    if isinstance(start, Name) and "." in start.id and isinstance(kind, TensorType):
        comment = writer.comment([kind])
    writer.forward.append(Assign((name,), start, comment=comment))
    return name


def _fed(given: Expr | tuple[Expr, ...], name: Name) -> Expr | tuple[Expr, ...]:
    return (name, *given[1:]) if isinstance(given, tuple) else name
