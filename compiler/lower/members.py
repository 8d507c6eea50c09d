"""What `__init__` builds: a module for each layer that has one, or a list of copies."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.codegen.python import Expr, Placeholder, call
from compiler.elaborate.check_names import formulas
from compiler.expr.syntax import names_in
from compiler.infer.call_op import op_inputs
from compiler.infer.repeats import uses_counter
from compiler.ir.graph import Alternatives, Node, Scope
from compiler.ir.sequential import is_chain
from compiler.ir.typed import Instance, TypedNode
from compiler.lower.class_ir import Construct, Held, wrapped
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.draft import Draft
from compiler.lower.emit import LayerCode
from compiler.lower.evaluate_code import either_of
from compiler.lower.parted import Parted, Unwritten
from compiler.lower.scope_code import own_counter, value_code
from compiler.op.op import Op
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbols import CopyNumber, Opaque


def is_sequential(plan: ClassPlan) -> bool:
    """Whether a scope needs no class, being an `nn.Sequential` of what stands in its list."""
    targets = [node.target for node in plan.layers.values()]
    single = all(len(node.outputs) <= 1 for node in plan.layers.values())
    return (
        single
        and not plan.remembers
        and not _needs_number(plan)
        and is_chain(plan.scope)
        and all(
            isinstance(target, Scope) or (bool(target.module) and target.chains)
            for target in targets
        )
        and not any(_is_dynamic(plan, node) for node in plan.scope.nodes.values())
    )


def _needs_number(plan: ClassPlan) -> bool:
    """Whether a copy needs a class that is told its number: sizes are made of it, or a group inside uses it.

    An argument that is made of it is written where the copies are counted.
    """
    counter = own_counter(plan)
    if not isinstance(counter, CopyNumber) or counter.owner != plan.scope.owner:
        return False
    return any(
        (isinstance(typed.target, Scope) and uses_counter(typed.target, {}))
        or _has_sizes_of(counter, typed)
        for typed in plan.layers.values()
    )


def _has_sizes_of(counter: CopyNumber, typed: TypedNode) -> bool:
    """Whether a size of what a layer gives is made of the number of a copy."""
    return any(
        symbol is counter or (isinstance(symbol, Opaque) and symbol.counter is counter)
        for kind in typed.outputs.values()
        for size in kind.shape
        for symbol in size.symbols
    )


def _is_dynamic(plan: ClassPlan, node: Node) -> bool:
    """Whether an argument of a layer is known only when the network runs."""
    used = {
        name
        for _, formula in formulas(node.layer, node.arguments)
        for name in names_in(formula.expr)
    }
    return any(
        isinstance(value, Dim) and value.constant is None
        for use in plan.uses
        for name in used
        if (value := use.values.get(name)) is not None
    )


class Members:
    """The members of a class, layer by layer."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.held: list[Held] = []

    def hold(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        """Build what a layer needs, if anything."""
        name = typed.node.name
        if typed.node.shared:
            self.draft.built[name] = self.draft.built.get(typed.node.shared, False)
            return
        self.draft.built[name] = False
        builds, when = self.draft.plan.builds(name), self.draft.plan.built_when(name)
        if not runs or builds is False or when is False:
            return
        build = self._build(typed, runs)
        if build is None:
            return
        self.draft.built[name] = True
        repeat = typed.node.layer.repeat
        copies = repeat is not None and not repeat.share
        if repeat is not None and repeat.share:
            self._part_without_copies(name)
            self.draft.demand_copies(typed, f"all copies share the weights of {name}")
        present = when is None or builds is True
        self.held.append(Held(typed, build, copies, present, when))

    def _part_without_copies(self, layer: str) -> None:
        """Uses in which no copy shares weights have none: their class is another one.

        Raises:
            Parted: where there are uses of both sorts.
        """
        found: dict[bool, list[Instance]] = {}
        for use in self.draft.plan.uses:
            node = use.nodes.get(layer)
            if node is not None and node.active:
                found.setdefault(bool(node.calls), []).append(use)
        if len(found) > 1:
            raise Parted(self.draft.plan, layer, list(found.values()))

    def _build(self, typed: TypedNode, runs: Sequence[Run]) -> Expr | None:
        """The expression that builds one copy of a layer; None for a pure function."""
        if isinstance(typed.target, Scope):
            return self._chosen(typed, runs)

        def construct(op: Op, code: LayerCode) -> Expr | None:
            self.draft.library |= {op.carries(code)} - {""}
            return op.construct(code, **op_inputs(type(op), code.types))

        return wrapped(typed, self.draft.emit(typed, runs, construct).value)

    def _chosen(self, typed: TypedNode, runs: Sequence[Run]) -> Expr:
        """The block that a layer holds; where it may be several, each under its condition."""
        target = self.draft.plan.scope.nodes[typed.node.name].target
        if not isinstance(target, Alternatives):
            return self._construct(typed, runs)
        code: Expr | None = None
        pairs = zip(target.conditions, target.nodes, strict=True)
        for when, node in reversed(list(pairs)):
            own = [run for run in runs if run.node.node is node]
            if not own:
                continue
            made = self._construct(own[0].node, own)
            test = value_code(when)
            code = made if code is None else either_of(test, made, code)
        assert code is not None
        return code

    def _construct(self, typed: TypedNode, runs: Sequence[Run]) -> Expr:
        by_plan: dict[int, tuple[ClassPlan, list[Run]]] = {}
        for run in runs:
            assert run.call.instance is not None
            plan = self.draft.plans.of(run.call.instance)
            by_plan.setdefault(id(plan), (plan, []))[1].append(run)
        if len(by_plan) == 1:
            ((plan, _),) = by_plan.values()
            if is_sequential(plan):
                return self._sequential(plan)
        made = tuple((plan, tuple(found)) for plan, found in by_plan.values())
        return Placeholder(Construct(typed, made))

    def _sequential(self, plan: ClassPlan) -> Expr:
        """`nn.Sequential(...)` for a group that is written as a list of modules."""
        inner = Members(Draft(plan, self.draft.plans, self.draft.origins))
        modules = []
        for node, typed in plan.ordered():
            runs = plan.runs(node.name)
            if not runs:
                raise Unwritten(plan, node.name, "a layer of the list does not run")
            modules.append(inner._link(typed, runs))
        self.draft.library |= inner.draft.library
        return call("nn.Sequential", *modules)

    def _link(self, typed: TypedNode, runs: Sequence[Run]) -> Expr:
        if isinstance(typed.target, Scope):
            return self._construct(typed, runs)

        def build(op: Op, code: LayerCode) -> Expr:
            self.draft.library |= {op.carries(code)} - {""}
            return op.build(code, **op_inputs(type(op), code.types))

        emitted = self.draft.emit(typed, runs, build)
        built = emitted.value
        if emitted.overwriting is not None and self._follows_new(typed):
            built = emitted.overwriting
        wrapped_ = wrapped(typed, built)
        assert wrapped_ is not None
        return wrapped_

    def _follows_new(self, typed: TypedNode) -> bool:
        """Whether the layer before this one in a list gives a new tensor that it may overwrite."""
        names = list(self.draft.plan.scope.nodes)
        place = names.index(typed.node.name)
        if place == 0:
            return False
        before = self.draft.plan.runs(names[place - 1])
        return all(run.call.op is not None and run.call.op.fresh for run in before)
