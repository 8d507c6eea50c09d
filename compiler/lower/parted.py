"""What is raised where no text serves some uses of a class: they need several, or there is none."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.ir.typed import Instance
from compiler.lower.class_plan import ClassPlan, Run


class Parted(Exception):
    """One text cannot serve these uses of a class: they need one for each group."""

    def __init__(
        self, plan: ClassPlan, layer: str, groups: Sequence[Sequence[Instance]]
    ) -> None:
        super().__init__(f"{plan.scope.name}.{layer}")
        self.plan, self.layer, self.groups = plan, layer, groups


class Unwritten(Exception):
    """No code says what a layer does."""

    def __init__(self, plan: ClassPlan, layer: str, reason: str) -> None:
        super().__init__(reason)
        self.plan, self.layer, self.reason = plan, layer, reason


class Symbolic(Unwritten):
    """A layer is given, for a param, a size of the network's inputs, and needs it to be built."""

    def __init__(self, plan: ClassPlan, layer: str, param: str, size: str) -> None:
        reason = f"{param} would be {size}, which is known only when the network runs"
        super().__init__(plan, layer, reason)
        self.param = param


def parted(plan: ClassPlan, layer: str, groups: Sequence[Sequence[Run]]) -> Exception:
    """The uses by which text their runs need; where one use needs several it goes with the first."""
    by_use: dict[int, frozenset[int]] = {}
    uses: dict[int, Instance] = {}
    for number, runs in enumerate(groups):
        for run in runs:
            uses[id(run.use)] = run.use
            by_use[id(run.use)] = by_use.get(id(run.use), frozenset()) | {number}
    by_texts: dict[frozenset[int], list[Instance]] = {}
    for key, texts in by_use.items():
        by_texts.setdefault(texts, []).append(uses[key])
    if len(by_texts) < 2:
        return Unwritten(
            plan, layer, "its copies need code that differs by more than sizes"
        )
    return Parted(plan, layer, list(by_texts.values()))
