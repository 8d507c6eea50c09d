"""Where the objects of a class are built."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from compiler.codegen.python import Expr, Placeholder
from compiler.codegen.traversal import filled, placeholders
from compiler.dataclass import dataclass
from compiler.ir.module import ScopeName
from compiler.lower.class_ir import ClassIR, Construct, Held
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.scope_code import size_code, value_code
from compiler.symbolic.symbols import InputDim


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


MOST_DEFAULTS = 20
"""Params of which one default is computed from the next."""


def in_builder(
    code: Expr,
    plan: ClassPlan,
    runs: Sequence[Run],
    size_of: Callable[[str], Expr | None] = lambda _: None,
) -> Expr | None:
    """Code of a class in the names of what builds it for some runs.

    None where its sizes differ from copy to copy, and `size_of` has no formula of a dimension for all of them.
    """
    if plan.scope.kind == "group":
        return code
    written = runs[0].node.arguments
    for _ in range(MOST_DEFAULTS):
        found = filled(code, lambda key: _default(key, plan, written))
        if found == code:
            break
        code = found
    given: dict[str, Expr] = {}
    for name in {x.name for x in placeholders(code) if isinstance(x, ScopeName)}:
        if name in plan.scope.params:
            given[name] = value_code(written.get(name, plan.scope.params[name].default))
            continue
        dimension = InputDim(plan.first.names.owner, name)
        sizes = {run.call.binding.get(dimension) for run in runs}
        size = sizes.pop()
        code_of_size = None if size is None else size_code(size)
        if sizes:
            code_of_size = size_of(name)
        if code_of_size is None:
            return None
        given[name] = code_of_size

    def fill(key: Hashable) -> Expr:
        return given[key.name] if isinstance(key, ScopeName) else Placeholder(key)

    return filled(code, fill)


def _default(key: Hashable, plan: ClassPlan, written: Mapping[str, object]) -> Expr:
    """What a param is computed from that a layer does not give, in the names of the class."""
    if isinstance(key, ScopeName) and key.name not in written:
        param = plan.scope.params.get(key.name)
        if param is not None and param.default is not None:
            return value_code(param.default)
    return Placeholder(key)
