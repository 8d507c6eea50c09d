"""From the uses of a scope to the IR of its class: what `__init__` builds, and `forward` as values."""

from __future__ import annotations

from compiler.codegen.python import Expr
from compiler.lower.begin_states import initial_states
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan, Plans
from compiler.lower.class_steps import Steps
from compiler.lower.draft import Draft
from compiler.lower.forward import Forward
from compiler.lower.members import Members
from compiler.lower.scope_code import value_code


def build_class(plan: ClassPlan, plans: Plans, steps: Steps | None = None) -> ClassIR:
    """The IR of one class; with `steps`, its `forward` goes on from a state.

    Raises:
        Parted: where its uses need several.
        Unwritten: where no code says what a layer does.
    """
    draft = Draft(plan, plans, {}, steps)
    members, forward = Members(draft), Forward(draft)
    live = plan.live()
    for node, typed in plan.ordered():
        runs = plan.runs(node.name)
        members.hold(typed, runs)
        if node.name in live:
            forward.run(typed, runs)
    made = forward.layers
    initial = initial_states(draft, made.given)
    return ClassIR(
        plan,
        tuple(members.held),
        forward.body(),
        tuple(draft.conditions),
        frozenset(draft.library),
        made.overwriting,
        tuple(draft.demands),
        tuple(made.touched),
        draft.steps,
        initial,
        _limit(plan, steps),
    )


def _limit(plan: ClassPlan, steps: Steps | None) -> Expr | None:
    """How many positions a network takes, as its dims say."""
    if steps is None or steps.stream.most is None or plan.scope.kind != "network":
        return None
    return value_code(steps.stream.most)
