"""What `forward` does for a layer that runs once: a line, or a choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from compiler.codegen.python import (
    Compare,
    Conditional,
    Expr,
    Name,
    TupleExpr,
    call,
    lit,
)
from compiler.codegen.statements import Assign, If
from compiler.ir.graph import Scope
from compiler.ir.typed import TypedNode
from compiler.lower.constructors import attribute, build, value_code
from compiler.lower.layer_code import LayerCode
from compiler.lower.to_python import Resolve

if TYPE_CHECKING:
    from compiler.lower.writer import ClassWriter

Inputs = dict[str, Expr | tuple[Expr, ...]]


def module(typed: TypedNode) -> Name:
    """`self.conv`."""
    return Name(f"self.{attribute(typed)}")


def inputs(writer: ClassWriter, typed: TypedNode) -> Inputs:
    """The expressions of a layer's inputs by port."""
    given: Inputs = {}
    for port, ref in typed.inputs.items():
        if isinstance(ref, tuple):
            given[port] = tuple(writer.value(item) for item in ref)
        else:
            given[port] = writer.value(ref)
    return given


def apply(
    writer: ClassWriter, typed: TypedNode, given: Inputs, holder: Expr, resolve: Resolve
) -> Expr:
    """The expression of one run of a layer's target."""
    if isinstance(typed.target, Scope):
        return call(holder, *_arguments(ports(writer, typed), given))
    op = typed.calls[0].op
    assert op is not None
    code = LayerCode(writer, typed, typed.calls[0], resolve, holder)
    present = writer.inputs_of(typed)
    values: dict[str, Any] = {
        port.name: given.get(port.name) if present.get(port.name) is not None else None
        for port in op.inputs
    }
    return op.apply(code, **values)


def ports(writer: ClassWriter, typed: TypedNode) -> list[str]:
    """The inputs of a block's `forward` in its order."""
    instance = typed.calls[0].instance
    assert instance is not None
    return writer.plans.of(instance).ports()


def _arguments(order: list[str], given: Inputs) -> list[Any]:
    """The inputs of a block by position; None before one that is given."""
    values = [given.get(port) for port in order]
    while values and values[-1] is None:
        values.pop()
    return [lit(None) if value is None else value for value in values]


def bind(writer: ClassWriter, typed: TypedNode, value: Expr) -> None:
    """Give the results of a layer their names."""
    node = typed.node
    ports = list(typed.outputs)
    kinds = list(typed.outputs.values())
    if len(ports) == 1 and isinstance(value, Name):
        _remember(writer, typed, [value])
        return
    names: list[Expr] = []
    for port in ports:
        wanted = local_name(writer, typed, port)
        names.append(
            Name(wanted)
            if wanted == "_"
            else Name(writer.variables.of_output(node.name, port, wanted))
        )
    op = typed.calls[0].op if typed.calls else None
    target = (
        op.targets(tuple(names))
        if op is not None
        else names[0]
        if len(names) == 1
        else TupleExpr(tuple(names))
    )
    shown = [kind for name, kind in zip(names, kinds, strict=True) if name != Name("_")]
    writer.forward.append(
        Assign((target,), value, comment=writer.comment(shown or kinds))
    )
    _remember(writer, typed, names)


def local_name(writer: ClassWriter, typed: TypedNode, port: str) -> str:
    """What the value of an output is called.

    As its layer; several outputs by the ports that they go to, or their own.
    """
    name = attribute(typed) if typed.node.name.isdigit() else typed.node.name
    if len(typed.outputs) == 1:
        return writer.variables.named_output(typed.node.name) or name
    uses = writer.variables.uses(typed.node.name, port)
    if not uses:
        return "_"
    if port.isdigit():
        return uses[0] if len(uses) == 1 and uses[0] else f"{name}_{port}"
    plain = port == "output" or isinstance(typed.target, Scope)
    first = plain and port == next(iter(typed.outputs))
    return name if first else f"{name}_{port}"


def _remember(writer: ClassWriter, typed: TypedNode, names: list[Expr]) -> None:
    for place, (port, name) in enumerate(zip(typed.outputs, names, strict=True)):
        writer.values[(typed.node.name, port)] = name
        if place == 0:
            writer.values[(typed.node.name, "")] = name


def pass_on(writer: ClassWriter, typed: TypedNode) -> None:
    """A layer that no use of the class runs."""
    first = next(iter(inputs(writer, typed).values()))
    _remember(writer, typed, [first[0] if isinstance(first, tuple) else first])


def choice(writer: ClassWriter, typed: TypedNode) -> None:
    """`when`: the layer where it holds, else its first input."""
    given = inputs(writer, typed)
    first = next(iter(given.values()))
    other = first[0] if isinstance(first, tuple) else first
    built = build(writer.trial(), typed, writer.trial().in_init) is not None
    test = (
        Compare("is not", module(typed), lit(None))
        if built
        else value_code(typed.node.layer.when, writer.in_forward)
    )
    before = len(writer.forward)
    value = apply(writer, typed, given, module(typed), writer.in_forward)
    lines = writer.forward[before:]
    if not lines:
        bind(writer, typed, Conditional(test, value, other))
        return
    del writer.forward[before:]
    target = Name(writer.variables.of_output(typed.node.name, "", typed.node.name))
    kind = next(iter(typed.outputs.values()))
    writer.forward.append(Assign((target,), other))
    body = (*lines, Assign((target,), value, comment=writer.comment([kind])))
    writer.forward.append(If(test, body))
    _remember(writer, typed, [target])
