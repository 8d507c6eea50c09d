"""How the methods of a class name its members, and the tensors of these."""

from __future__ import annotations

from compiler.codegen.python import (
    Call,
    Compare,
    Expr,
    Name,
    attr,
    call,
    lit,
    method,
    subscript,
)
from compiler.ir.graph import Scope
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan


def member(plan: ClassPlan, layer: str) -> Expr:
    """`self.conv`; of a group that is a list `self["0"]`, so that its weights have the names of an `nn.Sequential`."""
    if not plan.scope.chain:
        return Name(f"self.layer_{layer}" if layer.isdigit() else f"self.{layer}")
    if _holds_tensor(plan, layer):
        return call("getattr", Name("self"), layer)
    return subscript(Name("self"), layer)


def _holds_tensor(plan: ClassPlan, layer: str) -> bool:
    """Whether what a layer holds is a tensor, not a module."""
    target = plan.layers[layer].target
    return not isinstance(target, Scope) and not target.module


def holds_numbers(ir: ClassIR) -> bool:
    """Whether a class holds the modules of a list, by their numbers."""
    plan = ir.plan
    held = (one.typed.node.name for one in ir.held)
    return plan.scope.chain and not all(_holds_tensor(plan, name) for name in held)


def is_there(plan: ClassPlan, layer: str) -> Expr:
    """`self.conv is not None`; of a group that is a list `"0" in self`."""
    place = member(plan, layer)
    if isinstance(place, Name):
        return Compare("is not", place, lit(None))
    if isinstance(place, Call):
        return call("hasattr", Name("self"), layer)
    return Compare("in", lit(layer), Name("self"))


def copies(plan: ClassPlan, layer: str) -> Expr:
    """What a loop over the copies of a layer goes through."""
    place = member(plan, layer)
    return place if isinstance(place, Name) else method(place, "children")


def tensor_attribute(place: Expr, name: str) -> Expr:
    """`layer.weight`, of what a module holds by number `layer.get_submodule("tail.0").weight`: what a tie sets."""
    *steps, last = name.split(".")
    if any(map(str.isdigit, steps)):
        return attr(method(place, "get_submodule", ".".join(steps)), last)
    for step in steps:
        place = attr(place, step)
    return attr(place, last)


def read_tensor(place: Expr, name: str) -> Expr:
    """`self.conv.weight`; where a type checker does not know it `self.layers.get_parameter("0.weight")`."""
    steps = name.split(".")
    if not isinstance(place, Name) or any(map(str.isdigit, steps)):
        return method(place, "get_parameter", name)
    return Name(".".join((place.id, *steps)))


def tensor_path(plan: ClassPlan, path: str) -> Expr:
    """`self.wte.weight`, for the path of a tensor."""
    layer, _, name = path.partition(".")
    place = member(plan, layer)
    return read_tensor(place, name) if name else place
