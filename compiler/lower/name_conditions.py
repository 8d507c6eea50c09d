"""A condition that `__init__` has in other words is decided there, once: `drop + x if self.has_sum else drop`.

That is one of a dimension of the inputs, or of several params; one of a single param reads alike in both.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import replace

from compiler.codegen.python import (
    Compare,
    Conditional,
    Expr,
    Literal,
    Logic,
    Placeholder,
    lit,
)
from compiler.codegen.traversal import placeholders
from compiler.dataclass import dataclass
from compiler.ir.module import (
    Choose,
    Let,
    Local,
    Member,
    ScopeName,
    Stmt,
    defined,
    reads,
)
from compiler.lower.class_ir import ClassIR
from compiler.lower.scope_code import value_code
from compiler.lower.sizes import Kept


@dataclass(frozen=True, slots=True)
class Flag:
    """Whether a layer runs, which the object keeps for `forward`."""

    layer: str


def name_conditions(
    ir: ClassIR, known: Collection[str]
) -> tuple[ClassIR, dict[str, Expr]]:
    """The class with conditions that are kept, and what they are in `__init__` by their layers.

    `known` are the names of the scope that the constructor takes. A module that is there under the same condition
    stands for it: `drop + x if self.drop is not None else drop`.
    """
    modules = {
        value_code(one.when): one.typed.node.name
        for one in reversed(ir.held)
        if not (one.present or one.copies) and one.typed.node.name.isidentifier()
    }
    flags: dict[Expr, str] = {}

    def decided(statement: Stmt) -> Stmt:
        condition = _condition(ir, statement, known)
        if condition is None:
            return statement
        _, given = _split(_test(statement))
        if condition in modules:
            there = Placeholder(Member(modules[condition]))
            test: Expr = Compare("is not", there, lit(None))
        else:
            test = Placeholder(Flag(flags.setdefault(condition, statement.layer)))
        return _with_test(statement, Logic("and", (test, *given)) if given else test)

    statements = tuple(map(decided, ir.body.statements))
    if statements == ir.body.statements:
        return ir, {}
    body = replace(ir.body, statements=_needed(statements, ir))
    return replace(ir, body=body), {layer: code for code, layer in flags.items()}


def _condition(ir: ClassIR, statement: Stmt, known: Collection[str]) -> Expr | None:
    """The condition of a statement as `__init__` has it, where it is one that `forward` has in other words."""
    test, _ = _split(_test(statement))
    layer = ir.plan.layers.get(statement.layer)
    if test is None or layer is None or layer.node.layer.when is None:
        return None
    if layer.node.layer.asks_given:
        return None
    if (
        not statement.layer.isidentifier()
        or ir.plan.decides(statement.layer) is not None
    ):
        return None
    condition = value_code(layer.node.layer.when)
    asked, told = set(placeholders(test)), set(placeholders(condition))
    names = {key.name for key in told if isinstance(key, ScopeName)}
    plain = all(isinstance(key, Local | Kept) for key in asked)
    if not plain or len(names) < len(told) or not names <= set(known):
        return None
    read = any(isinstance(key, Local) for key in asked)
    return condition if read or len(names) > 1 else None


def _test(statement: Stmt) -> Expr | None:
    match statement:
        case Choose(test=test) | Let(value=Conditional(test=test)):
            return test
    return None


def _split(test: Expr | None) -> tuple[Expr | None, tuple[Expr, ...]]:
    """The condition of a layer, and which of the values that it needs have to be there."""
    if test is None:
        return None, ()
    items = test.items if isinstance(test, Logic) and test.op == "and" else (test,)
    given = tuple(filter(_asks_value, items))
    own = tuple(one for one in items if one not in given)
    if not given:
        return test, ()
    if not own:
        return None, given
    return (own[0] if len(own) == 1 else Logic("and", own)), given


def _asks_value(test: Expr) -> bool:
    match test:
        case Compare("is not", Placeholder(Local()), Literal(None)):
            return True
    return False


def _with_test(statement: Stmt, test: Expr) -> Stmt:
    match statement:
        case Choose():
            return replace(statement, test=test)
        case Let(value=Conditional() as value):
            return replace(statement, value=replace(value, test=test))
    raise AssertionError(statement)


def _needed(statements: tuple[Stmt, ...], ir: ClassIR) -> tuple[Stmt, ...]:
    """Statements without sizes that nothing reads any more."""
    read: set[Hashable] = {key for one in statements for key in reads(one)}
    read |= {key for output in ir.body.outputs for key in placeholders(output)}
    return tuple(
        one
        for one in statements
        if not isinstance(one, Let)
        or one.layer
        or not read.isdisjoint(defined(one.target))
    )
