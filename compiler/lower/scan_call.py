"""`scan` in `forward`: a call of the library's `scan` with the block as its step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compiler.codegen.python import (
    Expr,
    Name,
    TupleExpr,
    attr,
    call,
    lit,
    method,
    subscript,
)
from compiler.codegen.statements import (
    Assign,
    Function,
    FunctionParameter,
    Return,
    Stmt,
)
from compiler.ir.graph import Carry, Scope
from compiler.ir.typed import TypedNode
from compiler.lower.constructors import attribute
from compiler.lower.forward import local_name, ports
from compiler.lower.to_python import to_python

if TYPE_CHECKING:
    from compiler.lower.writer import ClassWriter


def run_scan(writer: ClassWriter, typed: TypedNode) -> None:
    """Add the scan of a layer to `forward`."""
    scan = typed.scan
    assert scan is not None and isinstance(typed.target, Scope)
    writer.library.add("scan")
    given = {
        port: writer.value(ref)
        for port, ref in typed.inputs.items()
        if not isinstance(ref, tuple)
    }
    apart = [port for port in given if port in scan.axes]
    whole = [port for port in given if port not in scan.axes]
    order = [*apart, *scan.carry, *whole]
    axes = [scan.axes[port] for port in apart]
    options: dict[str, Expr] = {
        "xs": TupleExpr(tuple(given[port] for port in apart)),
        "carry": TupleExpr(
            tuple(_start(writer, typed, name, given[apart[0]]) for name in scan.carry)
        ),
    }
    if whole:
        options["shared"] = TupleExpr(tuple(given[port] for port in whole))
    if axes != [1] * len(axes):
        options["dim"] = lit(axes[0]) if len(set(axes)) == 1 else lit(tuple(axes))
    if typed.node.layer.reverse:
        options["reverse"] = lit(True)
    step = _step(writer, typed, order)
    results = [*scan.carry, *(port for port in typed.outputs if port not in scan.carry)]
    _assign(writer, typed, results, call("scan", step, **options))


def _assign(
    writer: ClassWriter, typed: TypedNode, results: list[str], value: Expr
) -> None:
    names: list[Expr] = []
    for port in results:
        wanted = local_name(writer, typed, port)
        name = Name("_") if wanted == "_" else Name(writer.locals.fresh(wanted))
        names.append(name)
        writer.values[(typed.node.name, port)] = name
    first = next(iter(typed.outputs))
    writer.values[(typed.node.name, "")] = writer.values[(typed.node.name, first)]
    kinds = [
        typed.outputs[port]
        for port, name in zip(results, names, strict=True)
        if name != Name("_")
    ]
    target = TupleExpr(tuple(names))
    writer.forward.append(Assign((target,), value, comment=writer.comment(kinds)))


def _start(writer: ClassWriter, typed: TypedNode, name: str, like: Expr) -> Expr:
    """What a state is before the first step."""
    carry: Carry = typed.node.carry[name]
    if carry.ref is not None:
        return writer.value(carry.ref)
    kind = typed.scan.carry[name].kind if typed.scan else "float"
    sizes = [to_python(dim, writer.in_forward) for dim in carry.shape]
    source = next(iter(typed.scan.axes)) if typed.scan else ""
    outer = typed.inputs.get(source)
    same_kind = (
        outer is not None
        and not isinstance(outer, tuple)
        and _kind(typed, source) == kind
    )
    if same_kind:
        return method(like, f"new_{carry.fill}", *sizes)
    dtype = {
        "float": {},
        "int": {"dtype": Name("torch.long")},
        "bool": {"dtype": Name("torch.bool")},
    }[kind]
    return call(f"torch.{carry.fill}", *sizes, **dtype, device=attr(like, "device"))


def _kind(typed: TypedNode, port: str) -> str:
    kind = typed.calls[0].inputs.get(port)
    return kind.kind if kind is not None and not isinstance(kind, tuple) else ""


def _step(writer: ClassWriter, typed: TypedNode, order: list[str]) -> Expr:
    """The block itself where its ports stand in the order of a step, else a function around it."""
    assert isinstance(typed.target, Scope) and typed.scan is not None
    holder = Name(f"self.{attribute(typed)}")
    inside = ports(writer, typed)
    results = list(typed.target.outputs)
    wanted = [
        *typed.scan.carry,
        *(port for port in results if port not in typed.scan.carry),
    ]
    if inside == order and results == wanted:
        return holder
    name = Name(writer.locals.fresh(f"{typed.node.name}_step"))
    writer.forward.append(_function(name.id, holder, inside, order, results, wanted))
    return name


def _function(
    name: str,
    holder: Expr,
    inside: list[str],
    order: list[str],
    results: list[str],
    wanted: list[str],
) -> Stmt:
    tensor = Name("Tensor")
    params = tuple(FunctionParameter(port, tensor) for port in order)
    value = call(holder, *(Name(port) for port in inside))
    outputs = {port: Name(f"{port}_" if port in order else port) for port in results}
    body: tuple[Stmt, ...] = (
        Assign((TupleExpr(tuple(outputs.values())),), value),
        Return(TupleExpr(tuple(outputs[port] for port in wanted))),
    )
    if results == wanted:
        body = (Return(value),)
    kind = subscript(Name("tuple"), *[tensor] * len(wanted))
    return Function(name, params, kind if len(wanted) > 1 else tensor, body)
