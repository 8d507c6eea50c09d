"""Where the objects of a class are built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from compiler.codegen.traversal import placeholders
from compiler.dataclass import dataclass
from compiler.lower.class_ir import ClassIR, Construct, Held
from compiler.lower.class_plan import ClassPlan, Run


@dataclass(frozen=True, eq=False)
class BuildSite:
    """A place where an object of a class, or of one of several classes, is built."""

    ir: ClassIR
    held: Held
    construct: Construct

    def runs(self, plan: ClassPlan) -> Sequence[Run]:
        """The runs that are of one of the classes."""
        (found,) = (runs for one, runs in self.construct.plans if one is plan)
        return found


BuildSites = Mapping[int, Sequence[BuildSite]]
"""By the identity of each plan, where its objects are built."""


def build_sites(classes: Iterable[ClassIR]) -> BuildSites:
    """Where each class is built."""
    found: dict[int, list[BuildSite]] = {}
    for ir in classes:
        for held in ir.held:
            for key in placeholders(held.build):
                if isinstance(key, Construct):
                    for plan, _ in key.plans:
                        found.setdefault(id(plan), []).append(BuildSite(ir, held, key))
    return found
