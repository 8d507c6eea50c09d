"""What the two halves of a class share while it is built: its uses, its values, what it demands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from compiler.codegen.python import Compare, Expr, Logic, Placeholder, lit
from compiler.codegen.traversal import placeholders
from compiler.elaborate.check_names import formulas
from compiler.ir.graph import Alternatives, Node, Ref, Scope
from compiler.ir.module import LayerState, Local, Member, Offset, Origin, ScopeName
from compiler.ir.typed import TypedNode
from compiler.lower.class_ir import Demand
from compiler.lower.class_plan import ClassPlan, Plans, Run
from compiler.lower.class_steps import Steps
from compiler.lower.emit import Emitted, Produce, emit
from compiler.lower.scope_code import name_code, value_code
from compiler.op.arg_types import Formula


class Draft:
    """A class that is being built."""

    def __init__(
        self,
        plan: ClassPlan,
        plans: Plans,
        origins: dict[int, Origin],
        steps: Steps | None = None,
    ) -> None:
        self.all_steps = steps
        self.steps = None if steps is None else steps.of(plan)
        """What the class keeps between the pieces of a sequence."""
        self.plan, self.plans, self.origins = plan, plans, origins
        self.library: set[str] = set()
        self.demands: list[Demand] = []
        self.built: dict[str, bool] = {}
        """By layer: whether the class holds something for it."""
        self._steps: dict[tuple[str, int], Local] = {}

    def value(self, origin: Origin) -> Local:
        """A new value of `forward`."""
        value = Local(len(self.origins))
        self.origins[value.number] = origin
        return value

    def step(self, index: int, origin: Origin) -> Local:
        """A value on the way to a layer's output: the same one each time the layer's code is asked for."""
        key = origin.layer, index
        if key not in self._steps:
            self._steps[key] = self.value(origin)
        return self._steps[key]

    def may_be_none(self, ref: Ref) -> bool:
        """Whether a value may be None when the code runs."""
        return self.plan.may_be_none(ref)

    def state_of(self, layer: str) -> Expr | None:
        """What a layer keeps between the pieces of a sequence."""
        if self.steps is None or layer not in self.steps.kept:
            return None
        return Placeholder(LayerState(layer, self.steps.is_copied(layer)))

    def columns_of(self, layer: str) -> Mapping[str, int]:
        """The operands that a layer keeps for all positions so far, and the axis of each."""
        if self.steps is None or layer not in self.steps.kept:
            return {}
        return self.steps.kept[layer].columns

    def past_axis_of(self, layer: str) -> int:
        """The axis of its input that the windows of a layer with a state go along, counted from the last."""
        assert self.steps is not None
        return self.steps.kept[layer].axis

    def offset_of(self, layer: str) -> Expr | None:
        """The position of the first element of a piece, for a layer whose output depends on positions."""
        known = self.steps is not None and layer in self.steps.positions
        return Placeholder(Offset()) if known else None

    @cached_property
    def conditions(self) -> list[Expr]:
        """The conditions of the scope, by which sizes and classes may differ."""
        found: dict[Expr, None] = {}
        for node in _nodes(self.plan.scope):
            for when in (node.layer.built_when, *_choices(node)):
                if when is not None:
                    found[value_code(when)] = None
            for _, formula in formulas(node.layer, node.arguments):
                code = value_code(formula)
                if isinstance(code, Compare | Logic):
                    found[code] = None
        for name, param in self.plan.scope.environment.params.items():
            if param.type == "bool" or isinstance(param.default, bool):
                found[name_code(name)] = None
        return list(found)

    def emit(
        self,
        typed: TypedNode,
        runs: Sequence[Run],
        produce: Produce,
        module: Expr | None = None,
    ) -> Emitted:
        """The code of a layer that is right for all of its runs; see `emit.emit`."""
        return emit(self, typed, runs, module or Placeholder(member(typed)), produce)

    def demand_copies(self, typed: TypedNode, reason: str, least: int = 1) -> None:
        """A number of copies must be at least so large, where a param decides it."""
        repeat = typed.node.layer.repeat
        if repeat is None or not isinstance(repeat.count, Formula):
            return
        test: Expr = Compare("<", value_code(repeat.count), lit(least))
        message = f"{repeat.count.text} must be at least {least}: {reason}"
        self._demand(typed, test, message)

    def demand_equal(self, typed: TypedNode, length: Expr, reason: str) -> None:
        """A number of copies must be that of the items of a list, where a param decides either."""
        repeat = typed.node.layer.repeat
        assert repeat is not None
        count = value_code(repeat.count)
        if count != length:
            test = Compare("!=", count, length)
            self._demand(typed, test, f"the copies of {typed.node.name}: {reason}")

    def _demand(self, typed: TypedNode, test: Expr, message: str) -> None:
        """Where a layer is there, a test over params that are no fixed ones must not hold."""
        when = typed.node.layer.built_when
        if when is not None:
            test = Logic("and", (value_code(when), test))
        names = {key.name for key in placeholders(test) if isinstance(key, ScopeName)}
        known = any(test == one for one, _ in self.demands)
        if not known and names - self.plan.fixed.keys():
            self.demands.append((test, message))


def _choices(node: Node) -> tuple[Formula | bool | None, ...]:
    """When a layer is which of the things that it may be."""
    return node.target.conditions if isinstance(node.target, Alternatives) else ()


def member(typed: TypedNode) -> Member:
    """The attribute that holds what a layer runs: its own, or that of the layer that it shares."""
    return Member(typed.node.shared or typed.node.name)


def _nodes(scope: Scope) -> Iterator[Node]:
    """The layers of a scope, those of its groups too, which have the same names."""
    for node in scope.each_node():
        yield node
        if isinstance(node.target, Scope) and node.target.kind == "group":
            yield from _nodes(node.target)
