"""What the constructor of a class builds in one use, compared with what each layer is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from compiler.codegen.python import Call, Conditional, Expr, Placeholder
from compiler.codegen.traversal import placeholders
from compiler.infer.call_op import op_inputs
from compiler.ir.module import ScopeName
from compiler.ir.typed import Instance, LayerCall, TypedNode
from compiler.lower.ask_op import Asked, LastWritten, alone_code
from compiler.lower.class_ir import Construct, Held, count_code, wrapped
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.common_size import MOST_COPIES
from compiler.lower.compare_code import Comparison
from compiler.lower.constructors import Constructors, default_of
from compiler.lower.evaluate_code import Unknown, lookup, value_of
from compiler.lower.graph_values import member_of, own_copy
from compiler.lower.scope_code import value_code
from compiler.lower.values_of_use import ValuesOfUse
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbol_table import COUNTER

CheckClass = Callable[[ClassPlan, Instance], None]
"""Compares the class of a plan with a use that is built of it."""


class BuiltCheck:
    """Compares what is built in one use."""

    def __init__(
        self,
        comparison: Comparison,
        values: ValuesOfUse,
        constructors: Constructors,
        written: LastWritten,
        check_class: CheckClass,
    ) -> None:
        self.comparison, self.values = comparison, values
        self.ir, self.use = comparison.ir, comparison.use
        self.constructors, self.written = constructors, written
        self.check_class = check_class
        self._counted: dict[tuple[int, int, int], tuple[str, ...]] = {}

    def check(self, node: TypedNode) -> None:
        """Compare what is built for a layer, and in it.

        Raises:
            Invalid: where that is something else.
        """
        held = self.comparison.held.get(node.node.name)
        repeat = node.node.layer.repeat
        if held is None:
            for call in node.calls:
                if (
                    call.instance is not None
                    or self._construction(node, call) is not None
                ):
                    raise self.comparison.wrong("nothing is built")
            return
        if held.copies:
            count = self.values.value(count_code(held.typed))
            self.comparison.same(count, node.count, "the number of copies")
        elif not held.present:
            test = self.values.value(value_code(held.when))
            self.comparison.same(bool(test), node.is_built, "the condition")
        elif node.node.layer.when is not None:
            self.comparison.same(node.is_built, True, "what is always there")
        counted = held.copies and self._depends_on_copy(held.build)
        for call in node.calls:
            copies: Iterable[int | None] = (None if repeat is None else call.counter,)
            if counted:  # equal copies are built by the same code, else
                copies = range(call.counter, call.counter + call.count)[:MOST_COPIES]
            for copy in copies:
                self._one(held, node, call, copy)

    def _depends_on_copy(self, code: Expr) -> bool:
        """Whether what is built depends on the number of a copy."""
        for key in placeholders(code):
            if key == ScopeName(COUNTER):
                return True
            if not isinstance(key, Construct):
                continue
            for test, plan, runs in self.constructors.choices(key, self.ir):
                given = (
                    self.constructors.argument(key, plan, runs, name, self.ir)
                    for name in self.constructors.of(plan).all
                )
                parts = [one for one in (test, *given) if one is not None]
                if any(map(self._depends_on_copy, parts)):
                    return True
        return False

    def _one(
        self, held: Held, node: TypedNode, call: LayerCall, copy: int | None
    ) -> None:
        built = held.build
        while call.instance is not None and isinstance(built, Conditional):
            test = self.values.value(built.test, copy)
            built = built.body if test else built.orelse
        if isinstance(built, Placeholder) and isinstance(built.key, Construct):
            self._construct(built.key, call, copy)
        elif call.instance is not None:
            self._chain(built, call.instance, copy)
        else:
            wanted, own = self._construction(node, call), own_copy(node, call)
            if built != wanted or copy != own:
                wanted = None if wanted is None else self.values.folded(wanted, own)
                found = self.values.folded(built, copy)
                self.comparison.same_code(found, wanted, "what is built")

    def _construction(self, node: TypedNode, call: LayerCall) -> Expr | None:
        """What the op of one run builds for it, asked alone, in the names of the scope."""
        if call.op is None:
            return None
        asked = Asked(node, call, Placeholder(member_of(node)))
        return self.written.of(asked, self.use)[0]

    def _chain(self, built: Expr, instance: Instance, copy: int | None) -> None:
        """An `nn.Sequential` against a group whose layers it holds."""
        assert isinstance(built, Call)
        inner = self._inside(instance)
        for code, node in zip(built.args, instance.nodes.values(), strict=True):
            call = node.calls[0]
            if isinstance(code, Placeholder) and isinstance(code.key, Construct):
                inner._construct(code.key, call, copy)
            elif call.instance is not None:
                inner._chain(code, call.instance, copy)
            else:
                assert call.op is not None
                alone = alone_code(instance, node, call, Placeholder(member_of(node)))
                wanted = wrapped(
                    node, call.op.build(alone, **op_inputs(type(call.op), call.inputs))
                )
                assert wanted is not None
                found = inner.values.folded(code, copy)
                self.comparison.same_code(
                    found, inner.values.folded(wanted), "what is built"
                )

    def _inside(self, instance: Instance) -> BuiltCheck:
        """What compares what is built for a group that the class itself holds."""
        comparison = Comparison(self.ir, instance, self.comparison.layer)
        return BuiltCheck(
            comparison,
            ValuesOfUse(comparison),
            self.constructors,
            self.written,
            self.check_class,
        )

    def _construct(
        self, construct: Construct, call: LayerCall, copy: int | None
    ) -> None:
        instance = call.instance
        assert instance is not None
        plan: ClassPlan
        runs: Sequence[Run]
        plan, runs = construct.plans[0]
        for test, one, of in self.constructors.choices(construct, self.ir):
            plan, runs = one, of
            if test is None or self.values.value(test, copy):
                break
        if plan.scope is not instance.scope:
            raise self.comparison.wrong(f"a {plan.name} is built")
        for name in self._to_hold(construct, call, plan, runs):
            code = self.constructors.argument(construct, plan, runs, name, self.ir)
            if code is not None:
                found = self.values.value(code, copy)
            else:
                default = default_of(plan, name)
                found = (
                    instance.params.get(name)
                    if default is None
                    else _value_in(default, instance)
                )
            try:
                wanted = lookup(name, instance, None)
            except Unknown:
                if name not in plan.scope.environment.params:
                    continue  # a dimension of an input that is not given here
                raise self.comparison.wrong(f"{name} has no value") from None
            self.comparison.same(
                _plain_value(found), _plain_value(wanted), f"{name} of {plan.name}"
            )
        self.check_class(plan, instance)

    def _to_hold(
        self,
        construct: Construct,
        call: LayerCall,
        plan: ClassPlan,
        runs: Sequence[Run],
    ) -> tuple[str, ...]:
        """The arguments to look at in a copy: after the first of equal ones, those that depend on its number."""
        every = self.constructors.of(plan).all
        key = id(construct), id(call), id(plan)
        if key not in self._counted:
            codes = (
                (name, self.constructors.argument(construct, plan, runs, name, self.ir))
                for name in every
            )
            self._counted[key] = tuple(
                name
                for name, code in codes
                if code is not None and ScopeName(COUNTER) in placeholders(code)
            )
            return every
        return self._counted[key]


def _value_in(default: Any, instance: Instance) -> Any:
    try:
        return value_of(value_code(default), instance)
    except Unknown:
        return None


def _plain_value(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return tuple(map(_plain_value, value))
    if isinstance(value, Dim) and value.constant is not None:
        return value.constant
    return value
