"""Layers of `forward` that may be off: the test whether one runs, and what there is in place of its results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compiler.codegen.python import (
    Compare,
    Conditional,
    Expr,
    Logic,
    Placeholder,
    Unary,
    lit,
)
from compiler.codegen.traversal import mapped, placeholders
from compiler.infer.absence import runs_as, takes_none
from compiler.ir.graph import Ref, may_lack
from compiler.ir.module import Choose, InputName, Let, Local, Origin, Stmt
from compiler.ir.typed import TypedNode
from compiler.lower.class_plan import Run, refs_of
from compiler.lower.draft import member
from compiler.lower.forward_values import ForwardValues
from compiler.lower.scope_code import value_code


class ForwardConditions:
    """Runs layers under their conditions."""

    def __init__(self, layers: ForwardValues) -> None:
        self.layers, self.draft = layers, layers.draft

    def pass_on(self, typed: TypedNode) -> None:
        """A layer that no use of the class runs."""
        if typed.node.may_be_absent:
            return
        self.layers.remember(
            typed, [self.passed(typed)] + [None] * (len(typed.ports) - 1)
        )

    def choice(self, typed: TypedNode, runs: Sequence[Run]) -> None:
        """`when`: the layer where it holds, else its first input."""
        emitted = self.layers.apply(
            typed, runs, self.layers.inputs_of(typed), Placeholder(member(typed))
        )
        other = self.passed(typed)
        value = emitted.value
        assert value is not None
        if value == other:
            self.layers.remember(typed, [value])
        elif len(typed.ports) == 1 and not emitted.steps:
            op = runs[0].call.op
            code = Conditional(self._test(typed), value, other)
            after = self.draft.value(Origin(typed.node.name))
            plain = op is None or op.targets((Placeholder(after),)) == Placeholder(
                after
            )
            if plain:
                self.layers.statements.append(
                    Let(
                        typed.node.name,
                        Placeholder(after),
                        code,
                        tuple(typed.outputs.values()),
                    )
                )
                self.layers.remember(typed, [Placeholder(after)])
                return
            self._choose(typed, (), value, other)
        else:
            self._choose(typed, emitted.steps, value, other)

    def either(
        self,
        typed: TypedNode,
        body: tuple[Stmt, ...],
        values: Sequence[Local],
        other: Expr,
    ) -> None:
        """A statement under a condition: its values, or the first input and nothing else."""
        results = []
        for place, value in enumerate(values):
            after = self.draft.value(self.draft.origins[value.number])
            results.append((after, value, other if place == 0 else None))
        kinds = tuple(typed.outputs.values())
        self.layers.statements.append(
            Choose(typed.node.name, self._test(typed), body, tuple(results), kinds)
        )
        self.layers.remember(typed, [Placeholder(after) for after, _, _ in results])

    def _choose(
        self, typed: TypedNode, steps: Sequence[Stmt], value: Expr, other: Expr
    ) -> None:
        kinds = tuple(typed.outputs.values())
        target, values = self.layers.results(typed)
        self.either(
            typed, (*steps, Let(typed.node.name, target, value, kinds)), values, other
        )

    def passed(self, typed: TypedNode) -> Expr:
        """What a layer passes on where it is off: its `else`, or its first input."""
        if typed.node.may_be_absent:
            return lit(None)
        if typed.node.otherwise is not None:
            return self.layers.needed(typed.node.otherwise)
        first = next(iter(self.layers.inputs_of(typed).values()))
        first = first[0] if isinstance(first, tuple) else first
        return lit(None) if first is None else first

    def _test(self, typed: TypedNode) -> Expr:
        """Whether a layer with `when` runs: whether its module is there, else the condition itself.

        A type checker does not know that what is absent under the same condition is there then.
        """
        asked, rest = self._asked(typed)
        if self.draft.built[typed.node.name]:
            always = self.draft.plan.built_when(typed.node.name) is None and asked
            held = Compare("is not", Placeholder(member(typed)), lit(None))
            rest = [] if always else [held]
        refs = list(self._required(typed))
        if not self.draft.built[typed.node.name] and not asked:
            rest = [] if any(self._says(typed, ref) for ref in refs) else rest
        there = (Compare("is not", self.layers.needed(ref), lit(None)) for ref in refs)
        items = tuple(dict.fromkeys((*rest, *asked, *there)))
        return items[0] if len(items) == 1 else Logic("and", items)

    def _asked(self, typed: TypedNode) -> tuple[list[Expr], list[Expr]]:
        """The parts of a condition, of which all must hold: those that ask for inputs, and the others."""
        when = self.draft.plan.condition(typed.node.name)
        code = value_code(when)
        parts = code.items if isinstance(code, Logic) and code.op == "and" else (code,)
        asked: list[Expr] = []
        rest: list[Expr] = []
        for part in parts:
            asks = any(isinstance(key, InputName) for key in placeholders(part))
            (asked if asks else rest).append(self._with_inputs(part))
        return asked, rest

    def _with_inputs(self, code: Expr) -> Expr:
        """A condition as `forward` asks it: `mask is not None`."""
        match code:
            case Unary("not", Unary("not", condition)):
                return self._with_inputs(condition)
            case Placeholder(InputName(name)):
                return Compare("is not", self.layers.needed(Ref(name)), lit(None))
            case Unary("not", Placeholder(InputName(name))):
                return Compare("is", self.layers.needed(Ref(name)), lit(None))
        return mapped(code, self._with_inputs)

    def _says(self, typed: TypedNode, ref: Ref) -> bool:
        """Whether there is a value where a layer runs, and nowhere else."""
        source = self.draft.plan.scope.nodes.get(ref.node)
        if source is None or may_lack(source, ref.port):
            return False
        return source.may_be_absent and runs_as(typed.node, source)

    def _required(self, typed: TypedNode) -> Iterator[Ref]:
        """The values that a layer needs and that may be None where it is off."""
        for port, ref in refs_of(typed):
            needed = port != "else" and not takes_none(typed.target, port)
            if needed and self.draft.may_be_none(ref):
                yield ref
