"""From the uses of a scope to the IR of its class: what `__init__` builds, and `forward` as values."""

from __future__ import annotations

from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan, Plans
from compiler.lower.demands import equal_sizes
from compiler.lower.draft import Draft
from compiler.lower.forward import Forward
from compiler.lower.members import Members


def build_class(plan: ClassPlan, plans: Plans) -> ClassIR:
    """The IR of one class.

    Raises:
        Parted: where its uses need several.
        Unwritten: where no code says what a layer does.
    """
    draft = Draft(plan, plans, {})
    members, forward = Members(draft), Forward(draft)
    live = plan.live()
    for node, typed in plan.ordered():
        runs = plan.runs(node.name)
        members.hold(typed, runs)
        if node.name in live:
            forward.run(typed, runs)
    return ClassIR(
        plan,
        tuple(members.held),
        forward.body(),
        tuple(draft.conditions),
        frozenset(draft.library),
        forward.overwriting,
        (*equal_sizes(plan), *draft.demands),
        tuple(forward.touched),
    )
