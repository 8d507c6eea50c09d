"""What the layers of a class require of numbers: sizes at least 1, lists as long as what is read of them."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from compiler.codegen.python import (
    Binary,
    Call,
    Compare,
    Comprehension,
    Conditional,
    Expr,
    Literal,
    Logic,
    Name,
    Placeholder,
    Slice,
    Starred,
    Subscript,
    TupleExpr,
    Unary,
    call,
    lit,
)
from compiler.codegen.traversal import children, placeholders
from compiler.expr.syntax import names_in
from compiler.ir.graph import Alternatives, Node, Scope
from compiler.ir.module import ScopeName
from compiler.ir.typed import TypedNode
from compiler.language.initializers import Initializer
from compiler.language.layers import Repeat
from compiler.lower.class_plan import ClassPlan, Run
from compiler.lower.evaluate_code import folded_numbers
from compiler.lower.required import Relation, Required, negated, of_copies
from compiler.lower.scope_code import size_code, value_code
from compiler.op.arg_types import range_of, sized
from compiler.op.context import Equality
from compiler.op.op import Op
from compiler.op.op import arguments as op_arguments
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.symbols import InputDim, ListItem, Opaque, ParamNumber, Symbol

_Alternative = tuple[tuple[Expr, ...], object, Mapping[str, Any]]
"""What a layer may be: the conditions under which it is, its target, and its arguments."""


def requirements(plan: ClassPlan, classes: Collection[int]) -> Iterator[Required]:
    """What the layers of a class require; what some require always is not required under a condition, too.

    `classes` are the scopes that have one: a group that has none is a part of the class around it.
    """
    params = plan.first.params.items()
    lists = {name for name, value in params if isinstance(value, tuple)}
    found = dict.fromkeys((*_of_inputs(plan), *_of_defaults(plan), *_of_sizes(plan)))
    found |= {
        one: None
        for name, typed in plan.layers.items()
        for one in _of_layer(
            typed, built_when(plan, name), _alternatives(plan, name), classes, lists
        )
    }
    for one in found:
        always = replace(one, conditions=(), counts=())
        if _is_open(one) and (always == one or always not in found):
            yield one


def _is_open(one: Required) -> bool:
    """Whether names decide it."""
    codes = (one.code, one.least)
    return any(isinstance(key, ScopeName) for x in codes for key in placeholders(x))


def _of_inputs(plan: ClassPlan) -> Iterator[Required]:
    """The sizes of a network's inputs that params decide: each is at least 1."""
    if plan.scope.kind != "network":
        return
    for kind in plan.first.inputs.values():
        for size in kind.shape if kind is not None else ():
            if all(isinstance(one, ParamNumber | ListItem) for one in size.symbols):
                yield Required(size_code(size), lit(1))


def _of_defaults(plan: ClassPlan) -> Iterator[Required]:
    """What params require from which others are computed that are not given."""
    if plan.scope.kind == "group":
        return
    for name, param in plan.scope.params.items():
        given = plan.scope.kind == "network" and name in plan.first.given
        if param.default is not None and not given:
            for code in _items(param.default, ()):
                for one in _worked_out(code, ()):
                    yield replace(one, default=name)


def _of_sizes(plan: ClassPlan) -> Iterator[Required]:
    """The sizes that layers need to be multiples of others, or at least others."""
    found: dict[tuple[Dim, Dim, Hashable, Relation, Equality | None], None] = {}
    for use in plan.uses:
        known = use.context
        found |= dict.fromkeys((*x, "multiple", None) for x in known.multiples)
        found |= dict.fromkeys((*x, "least", None) for x in known.leasts)
        found |= dict.fromkeys((*x[:3], "equal", x[3]) for x in known.equals)
        found |= dict.fromkeys((*x, "not", None) for x in known.unequals)
    # By identity: a group shares what is known of sizes with the scope around it, which may have a layer of that name.
    conditions = {
        id(node): under
        for name in plan.scope.nodes
        for under, node in _possible(plan.scope, name)
    }
    for size, other, node, relation, equality in found:
        symbols = size.symbols | other.symbols
        if (
            isinstance(node, Node)
            and id(node) in conditions
            and all(map(_is_named, symbols))
        ):
            codes = size_code(size), size_code(other)
            under, broadcasts = conditions[id(node)], equality == "or 1"
            one = Required(*codes, under, relation, broadcasts=broadcasts)
            when = built_when(plan, node.name)
            if relation == "equal" and any(
                _says_equal(x, codes) for x in (*when, *one.conditions)
            ):
                continue
            repeat = node.layer.repeat
            count = None if repeat is None else value_code(repeat.count)
            if equality == "of copies":
                assert count is not None
                more = Compare(">", count, lit(1))
                yield from _under(when, [replace(one, counts=(more,))])
            else:
                yield from _under(when, of_copies(one, count))


def _is_named(symbol: Symbol) -> bool:
    """Whether names of a scope alone say what a symbol is: no number of a copy, no dimension behind `...`."""
    if isinstance(symbol, Opaque):
        return symbol.counter is None and COUNTER not in names_in(symbol.expr)
    return isinstance(symbol, InputDim | ParamNumber | ListItem)


def _says_equal(condition: Expr, pair: tuple[Expr, Expr]) -> bool:
    """Whether a condition holds only where two numbers are equal."""
    match condition:
        case Logic("and", parts):
            return any(_says_equal(part, pair) for part in parts)
        case Compare("==", left, right):
            return pair in ((left, right), (right, left))
    return False


def built_when(plan: ClassPlan, layer: str) -> tuple[Expr, ...]:
    """The condition under which a layer is built; nothing if it always is."""
    when = plan.built_when(layer)
    return () if when is None else (value_code(when),)


def _of_layer(
    typed: TypedNode,
    when: tuple[Expr, ...],
    alternatives: Iterable[_Alternative],
    classes: Collection[int],
    lists: Collection[str],
) -> Iterator[Required]:
    layer = typed.node.layer
    count = None
    if layer.repeat is not None:
        count = value_code(layer.repeat.count)
        yield from _under(when, _of_count(layer.repeat, count, lists))
    for condition in when:
        yield from _worked_out(condition, ())
    if typed.node.shared:
        return
    for conditions, target, arguments in alternatives:
        for one in _of_arguments(target, arguments, lists):
            yield from _under((*when, *conditions), of_copies(one, count))
    for rule in (layer.init or {}).values():
        for one in of_rule(rule):
            yield from _under(when, of_copies(one, count))
    inside = typed.calls[0].instance if typed.calls else None
    if inside is None or inside.scope.kind != "group" or id(inside.scope) in classes:
        return
    for part in inside.nodes.values():
        own = ((), part.target, part.arguments)
        for one in _of_layer(part, (), [own], classes, lists):
            yield from _under(when, of_copies(one, count))


def _of_count(
    repeat: Repeat, count: Expr, lists: Collection[str]
) -> Iterator[Required]:
    """What is required of a number of copies: those that are collected are there."""
    for place in _items(repeat.at, lists):
        if not isinstance(place, Starred):
            yield Required(count, folded_numbers(Binary("+", place, lit(1))))
    yield Required(count, lit(min(len(repeat.stack) + len(repeat.collect), 1)))
    yield from _worked_out(count, ())
    yield from _powers(count)


def _under(
    conditions: tuple[Expr, ...], required: Iterable[Required]
) -> Iterator[Required]:
    """What is required, under more conditions."""
    for one in required:
        yield replace(one, conditions=(*conditions, *one.conditions))


def _items(value: object, lists: Collection[str]) -> Iterator[Expr]:
    """The numbers that an argument is written with; `lists` are the params that are lists."""
    if isinstance(value, tuple | list):
        for item in value:
            yield from _items(item, lists)
    elif value is not None and not isinstance(value, dict):
        yield from _items_of_code(value_code(value), lists)


def _items_of_code(code: Expr, lists: Collection[str]) -> Iterator[Expr]:
    """The numbers of a list that a formula gives, together where they are not written one by one."""
    match code:
        case TupleExpr(items):
            yield from items
        case Call(Name("tuple")) | Subscript(_, (Slice(),)):
            yield Starred(code)
        case Placeholder(ScopeName(name)) if name in lists:
            yield Starred(code)
        case _:
            yield code


def _of_arguments(
    target: object, arguments: Mapping[str, Any], lists: Collection[str]
) -> Iterator[Required]:
    """What a layer requires of its arguments."""
    for argument, value in arguments.items():
        bounds = [*_bounds(target, argument)]
        whole = any(one.relation == "least" for one in bounds)
        if isinstance(target, Scope) and target.kind == "block":
            whole = target.params[argument].type == "int"
        for code in _items(value, lists):
            yield from _worked_out(code, ())
            yield from _powers(code) if whole else ()
            yield from (replace(one, code=code) for one in bounds)


def _bounds(target: object, argument: str) -> Iterator[Required]:
    """What an op requires of an argument that is a size, or a float with bounds, whatever its code."""
    if not (isinstance(target, type) and issubclass(target, Op)):
        return
    annotation = op_arguments(target)[argument][0]
    marker, floats = sized(annotation), range_of(annotation)
    if marker is not None and marker.least is not None and not marker.symbolic:
        yield Required(lit(None), lit(marker.least))
    if floats is not None:
        by_module = argument in target.refused_by_module
        yield Required(lit(None), lit(0), relation=floats, is_refused=by_module)


def _alternatives(plan: ClassPlan, name: str) -> Iterator[_Alternative]:
    """What a layer may be: under which conditions, and its arguments."""
    if not isinstance(plan.scope.nodes[name].target, Alternatives):
        typed = plan.layers[name]
        yield (), typed.target, typed.arguments
        return
    seen = {id(run.node.node): run.node for run in plan.runs(name)}
    for conditions, node in _possible(plan.scope, name):
        if id(node) in seen:
            typed = seen[id(node)]
            yield conditions, typed.target, typed.arguments


def _possible(scope: Scope, name: str) -> Iterator[tuple[tuple[Expr, ...], Node]]:
    """What a layer is, or may be, and under which conditions."""
    node = scope.nodes[name]
    if not isinstance(node.target, Alternatives):
        yield (), node
        return
    before: tuple[Expr, ...] = ()
    for condition, one in zip(node.target.conditions, node.target.nodes, strict=True):
        own = () if condition is None else (value_code(condition),)
        yield (*before, *own), one
        before = (*before, *map(negated, own))


def chosen_where(plan: ClassPlan, name: str, runs: Sequence[Run]) -> tuple[Expr, ...]:
    """The conditions under which a layer that is one of several is the one that some runs are of."""
    nodes = {id(run.node.node) for run in runs}
    found = [under for under, node in _possible(plan.scope, name) if id(node) in nodes]
    return found[0] if len(found) == 1 else ()


def of_rule(rule: Initializer) -> Iterator[Required]:
    """What the formulas of an initialisation require."""
    for name, formula in rule.formulas.items():
        code = value_code(formula)
        for one in _worked_out(code, ()):
            yield replace(one, of_init=True)
        if name == "std":
            yield Required(code, lit(0), relation="from 0", of_init=True)


def _worked_out(code: Expr, conditions: tuple[Expr, ...]) -> Iterator[Required]:
    """What working out a formula requires: lists as long as what is read of them, no division by 0, no log of it."""
    for part, under in _evaluated(code, conditions):
        match part:
            case Subscript(Placeholder(ScopeName()) as items, (index,)):
                if not isinstance(index, Slice):
                    yield from _read(items, index, under)
            case Binary("//" | "%" | "/", _, divisor) if not isinstance(
                divisor, Literal
            ):
                root = _under_root(divisor)
                yield Required(
                    root, lit(0), under, "not" if root is divisor else "above 0"
                )
            case Call(Name("range"), (count,)) if not isinstance(count, Literal):
                yield Required(count, lit(0), under)
            case Call(Name("math.log"), (number,)):
                yield Required(number, lit(0), under, "above 0")
            case Call(Name("math.sqrt"), (number,)):
                yield Required(number, lit(0), under, "from 0")


def _powers(code: Expr) -> Iterator[Required]:
    """What makes the powers in a size whole numbers."""
    for part, under in _evaluated(code, ()):
        match part:
            case Binary("**", _, exponent) if not isinstance(exponent, Literal):
                yield Required(exponent, lit(0), under)


def _under_root(code: Expr) -> Expr:
    """What a square root is of, which is 0 where the root is."""
    match code:
        case Call(Name("math.sqrt"), (number,)):
            return number
    return code


def _read(items: Expr, index: Expr, conditions: tuple[Expr, ...]) -> Iterator[Required]:
    """How long a list must be for an item of it to be there: an index below 0 counts from its end."""
    length = call("len", items)
    match index:
        case Unary("-", Literal(int(number))):
            yield Required(length, lit(number), conditions)
            return
        case Literal(int(number)):
            yield Required(length, lit(number + 1), conditions)
            return
        case Binary("%", _, divisor) if divisor == length:
            yield Required(length, lit(1), conditions)
            return
    yield Required(length, Binary("+", index, lit(1)), conditions)
    yield Required(Binary("+", length, index), lit(0), conditions)


def _evaluated(
    code: Expr, conditions: tuple[Expr, ...]
) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    """The parts of code, each with the conditions under which it is worked out."""
    waiting: list[tuple[Any, tuple[Expr, ...]]] = [(code, conditions)]
    while waiting:
        part, under = waiting.pop()
        if not isinstance(part, Slice):
            yield part, under
        match part:
            case Conditional(test, body, orelse):
                waiting.append((orelse, (*under, negated(test))))
                waiting += [(body, (*under, test)), (test, under)]
            case Logic(op, items):
                before = under
                for item in items:
                    waiting.append((item, before))
                    before = (*before, item if op == "and" else negated(item))
            case Comprehension(_, _, numbers):
                waiting.append((numbers, under))
            case _:
                waiting += [(child, under) for child in reversed(children(part))]
