"""Blocks whose layers need other Python for some of their uses than for others."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.codegen.python import Expr, Name
from compiler.codegen.statements import Stmt
from compiler.ir.graph import Ref, Scope
from compiler.ir.typed import Instance, TypedNode
from compiler.language.spec import Spec
from compiler.lower.class_plan import ClassPlan, Key, Plans, choices
from compiler.lower.constructors import build
from compiler.lower.forward import apply, inputs, module
from compiler.lower.writer import ClassWriter, Written


class Rehearsal(ClassWriter):
    """Writes single layers, to see what comes out: every value it uses has a name."""

    def value(self, ref: Ref) -> Expr:
        known = self.values.get((ref.node, ref.port))
        return known or Name(f"value_{ref.node}_{ref.port or 'first'}")


def scopes_to_split(plans: Plans, spec: Spec) -> set[int]:
    """The scopes of which one class cannot serve all uses."""
    return {id(plan.scope) for plan in plans.order if _varies(plan, plans, spec)}


def _varies(plan: ClassPlan, plans: Plans, spec: Spec) -> bool:
    if len(plan.choices()) < 2:
        return False
    firsts: dict[Key, Instance] = {}
    for use in plan.uses:
        firsts.setdefault(choices(use), use)
    for name in plan.scope.nodes:
        nodes = [use.nodes[name] for use in firsts.values()]
        running = [node for node in nodes if node.calls]
        if len({_text(plan, plans, spec, node) for node in running}) > 1:
            return True
    return False


def _text(plan: ClassPlan, plans: Plans, spec: Spec, typed: TypedNode) -> str:
    """What is written for a layer, without the comments."""
    if isinstance(typed.target, Scope):
        return ""
    classes: Mapping[Key, Written] = {}
    writer = Rehearsal(plan, plans, classes, spec)
    built = build(writer, typed, writer.in_loop)
    given = inputs(writer, typed)
    value = apply(writer, typed, given, module(typed), writer.in_forward_loop)
    return repr((built, value, [_plain(line) for line in writer.forward]))


def _plain(line: Stmt) -> object:
    return getattr(line, "targets", None), getattr(line, "value", None)
