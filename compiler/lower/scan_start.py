"""What the states of a `scan` are before its first step."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.codegen.python import Expr, Name, Placeholder, attr, call, method
from compiler.ir.counts import ParameterCounter
from compiler.ir.graph import Carry
from compiler.ir.module import Member
from compiler.ir.typed import TypedNode
from compiler.lower.scope_code import name_code
from compiler.lower.to_python import to_python


def start_code(typed: TypedNode, name: str, given: Mapping[str, Expr]) -> Expr:
    """A state of zeros or ones, on the device of what the scan runs along; `given` are the inputs by port.

    A float has the dtype of what the scan runs along, or else of the block's weights, whatever torch's default is.
    """
    carry: Carry = typed.node.carry[name]
    assert carry.fill and typed.scan is not None
    kind = typed.scan.carry[name].kind
    sizes = [to_python(dim, name_code) for dim in carry.shape]
    for port in typed.scan.axes:
        if _kind(typed, port) == kind:
            return method(given[port], f"new_{carry.fill}", *sizes)
    instance = typed.calls[0].instance if typed.calls else None
    if kind == "float" and instance and ParameterCounter().instance(instance):
        module = Placeholder(Member(typed.node.shared or typed.node.name))
        weight = call("next", method(module, "parameters"))
        return method(weight, f"new_{carry.fill}", *sizes)
    dtype = {
        "float": {},
        "int": {"dtype": Name("torch.long")},
        "bool": {"dtype": Name("torch.bool")},
    }[kind]
    like = given[next(iter(typed.scan.axes))]
    return call(f"torch.{carry.fill}", *sizes, **dtype, device=attr(like, "device"))


def _kind(typed: TypedNode, port: str) -> str:
    kind = typed.calls[0].inputs.get(port)
    return kind.kind if kind is not None and not isinstance(kind, tuple) else ""
