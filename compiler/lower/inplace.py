"""Values that may be overwritten: new ones, which nothing else takes and no gradient needs."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.ir.graph import Ref
from compiler.ir.typed import TypedNode
from compiler.lower.class_plan import ClassPlan
from compiler.lower.variables import Variables


def sole_source(
    plan: ClassPlan, variables: Variables, given: Ref | Iterable[Ref] | None
) -> TypedNode | None:
    """The layer that a value comes from, where nothing else takes it."""
    if not isinstance(given, Ref) or given.node not in plan.layers:
        return None
    source = plan.layers[given.node]
    port = given.port or next(iter(source.outputs), "")
    return source if len(variables.uses(given.node, port)) == 1 else None


def may_overwrite(typed: TypedNode, source: TypedNode | None) -> bool:
    """Whether a layer may put its result where the source has put its own."""
    if source is None or not (_plain(typed) and _plain(source)):
        return False
    op = source.calls[0].op
    return op is not None and op.fresh


def _plain(typed: TypedNode) -> bool:
    """Not in copies, each of which takes what the last one gave; not under a condition."""
    return typed.node.layer.runs_once and bool(typed.calls)
