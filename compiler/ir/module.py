"""The Module IR: what a generated file holds, before anything in it has a name.

One `ClassIR` stands for each class. Its members are what `__init__` builds; its body is `forward` as values that are
defined once, with conditions and loops as statements that hold others. Expressions are those of generated code, with
a `Placeholder` for everything that has no name yet: a value, a size, a member.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import field, replace
from functools import cached_property

from compiler.codegen.python import Expr, Placeholder, TupleExpr
from compiler.codegen.traversal import filled, placeholders
from compiler.dataclass import dataclass
from compiler.symbolic.symbols import CopyNumber, EllipsisDim
from compiler.symbolic.tensor import TensorType


@dataclass(frozen=True, slots=True)
class ScopeName:
    """A param or a dimension of the scope, or the counter of copies: an integer, a flag, a text or a list."""

    name: str


@dataclass(frozen=True, slots=True)
class ScopeNumber:
    """A number of the scope that no name stands for: a dimension behind `...`, or the number of the group's own copy.

    In what is built for each copy of a layer, `i` is that of the layer.
    """

    symbol: EllipsisDim | CopyNumber


@dataclass(frozen=True, slots=True)
class InputName:
    """Whether an optional input of the scope is given."""

    name: str


@dataclass(frozen=True, slots=True)
class Local:
    """A value of `forward`, by its number."""

    number: int


@dataclass(frozen=True, slots=True)
class Member:
    """The attribute that holds what `__init__` builds for a layer."""

    layer: str


@dataclass(frozen=True, slots=True)
class LayerState:
    """What a layer keeps between the pieces of a sequence; that of the copy that runs, if it is repeated."""

    layer: str
    copied: bool = False


@dataclass(frozen=True, slots=True)
class Capacity:
    """The largest number of positions that a state has room for; None if there is no limit."""


@dataclass(frozen=True, slots=True)
class Offset:
    """How many positions there were before this piece of a sequence."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from, which its name and its comment tell.

    `port` is "" for the only output; `step` is the word for a value on the way to it.
    """

    layer: str
    port: str = ""
    step: str = ""


@dataclass(frozen=True, eq=False)
class Let:
    """`target = value`: one run of a layer's target, or a step of it.

    The target holds the values that are defined, `_` for what nobody needs.
    """

    layer: str
    target: Expr
    value: Expr
    kinds: tuple[TensorType, ...] = ()
    varies: bool = False
    """Whether copies give other types, and `kinds` are those of the last."""

    @cached_property
    def reads(self) -> tuple[Hashable, ...]:
        """The keys that its value reads, in order."""
        return tuple(placeholders(self.value))


@dataclass(frozen=True, eq=False)
class Choose:
    """`when`: the results of `body` where the test holds, else what `others` say (None: there is no value)."""

    layer: str
    test: Expr
    body: tuple[Stmt, ...]
    results: tuple[tuple[Local, Local, Expr | None], ...]
    """The value after it, that of the body, and the other one."""
    kinds: tuple[TensorType, ...] = ()


@dataclass(frozen=True, slots=True)
class Carried:
    """A value that goes from copy to copy: `start` before the first, `inside` in a copy, `after` the last."""

    port: str
    start: Expr
    inside: Local
    following: Local
    after: Local
    kind: TensorType | None = None


@dataclass(frozen=True, slots=True)
class Collected:
    """What each copy gives, in a list.

    Attributes:
        name: the output of the layer that it is.
        item: what a copy gives.
        items: the list; what is read as a list and stacked has one.
        after: the list stacked; None if it is read as a list.
        kinds: the type of the stack, or those of the items.
        at: the numbers of the copies whose items are in it; None for all.
    """

    name: str
    item: Local
    items: Local
    after: Local | None
    kinds: tuple[TensorType, ...]
    at: Expr | None = None

    @property
    def result(self) -> Local:
        """What is read after the loop."""
        return self.items if self.after is None else self.after


@dataclass(frozen=True, eq=False)
class Loop:
    """`repeat`: the body once for each copy.

    `holder` is the module of the copy where there is one for each; else `count` says how many runs there are.
    """

    layer: str
    holder: Local | None
    count: Expr | None
    carried: tuple[Carried, ...]
    last: tuple[tuple[Local, Local], ...]
    """Values that the last copy gives: after the loop, and inside."""
    collected: tuple[Collected, ...]
    body: tuple[Stmt, ...]
    times: str = ""
    """How often it runs, as the spec writes it."""
    items: tuple[tuple[str, Local, Expr], ...] = ()
    """The inputs at which each copy takes an item of its own: the port, the item, and the list."""


@dataclass(frozen=True, eq=False)
class RunScan:
    """`scan`: a block run along a dimension, by the library's function."""

    layer: str
    target: tuple[Local | None, ...]
    """The carried states, then what the steps give; None for what nobody needs."""
    xs: tuple[Expr, ...]
    carry: tuple[Expr, ...]
    shared: tuple[Expr, ...]
    axes: tuple[int, ...]
    reverse: bool
    order: tuple[str, ...]
    """The ports in the order in which a step takes them: slices, states, whole inputs."""
    results: tuple[str, ...]
    """The outputs in the order in which a step gives them."""
    ports: tuple[str, ...] = ()
    """The inputs of the block in its own order."""
    outputs: tuple[str, ...] = ()
    """The outputs of the block in its own order."""
    kinds: tuple[TensorType, ...] = ()
    state: Expr | None = None
    """What is kept between the pieces of a sequence; None if nothing is."""


Stmt = Let | Choose | Loop | RunScan


@dataclass(frozen=True, eq=False)
class Body:
    """`forward`: its inputs, its statements, and the outputs."""

    inputs: tuple[tuple[str, Local], ...]
    statements: tuple[Stmt, ...]
    outputs: tuple[Expr, ...]
    origins: dict[int, Origin] = field(default_factory=dict)


def refilled(statement: Stmt, fill: Callable[[Hashable], Expr]) -> Stmt:
    """The statement with what `fill` gives in place of the placeholders of what it reads."""

    def one(code: Expr) -> Expr:
        return filled(code, fill)

    def each(codes: tuple[Expr, ...]) -> tuple[Expr, ...]:
        return tuple(map(one, codes))

    def inner(body: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
        return tuple(refilled(part, fill) for part in body)

    match statement:
        case Let():
            return replace(statement, value=one(statement.value))
        case Choose():
            results = tuple(
                (a, b, None if c is None else one(c)) for a, b, c in statement.results
            )
            return replace(
                statement,
                test=one(statement.test),
                body=inner(statement.body),
                results=results,
            )
        case Loop():
            carried = tuple(
                replace(part, start=one(part.start)) for part in statement.carried
            )
            count = None if statement.count is None else one(statement.count)
            collected = tuple(
                part if part.at is None else replace(part, at=one(part.at))
                for part in statement.collected
            )
            return replace(
                statement,
                count=count,
                carried=carried,
                collected=collected,
                body=inner(statement.body),
                items=tuple((port, a, one(b)) for port, a, b in statement.items),
            )
        case RunScan():
            return replace(
                statement,
                xs=each(statement.xs),
                carry=each(statement.carry),
                shared=each(statement.shared),
            )


def defined(target: Expr) -> list[Local]:
    """The values that the target of an assignment defines."""
    keys = [target.key] if isinstance(target, Placeholder) else placeholders(target)
    return [key for key in keys if isinstance(key, Local)]


def reads(statement: Stmt) -> Iterator[Hashable]:
    """The keys that a statement reads, those inside it too, in order."""
    match statement:
        case Let():
            yield from statement.reads
        case Choose():
            yield from placeholders(statement.test)
            for inner in statement.body:
                yield from reads(inner)
            for _, inside, other in statement.results:
                yield inside
                yield from () if other is None else placeholders(other)
        case Loop():
            for carried in statement.carried:
                yield from placeholders(carried.start)
            for _, _, items in statement.items:
                yield from placeholders(items)
            for inner in statement.body:
                yield from reads(inner)
            yield from () if statement.count is None else placeholders(statement.count)
            yield from (carried.following for carried in statement.carried)
            yield from (inside for _, inside in statement.last)
            for one in statement.collected:
                yield one.item
                yield from () if one.at is None else placeholders(one.at)
        case RunScan():
            given = (*statement.xs, *statement.carry, *statement.shared)
            kept = () if statement.state is None else (statement.state,)
            for value in (*given, *kept):
                yield from placeholders(value)


def definitions(statement: Stmt) -> Iterator[Local]:
    """The values that a statement defines, those inside it too, in order."""
    match statement:
        case Let():
            yield from defined(statement.target)
        case Choose():
            for inner in statement.body:
                yield from definitions(inner)
            yield from (after for after, _, _ in statement.results)
        case Loop():
            if statement.holder is not None:
                yield statement.holder
            yield from (item for _, item, _ in statement.items)
            yield from (carried.inside for carried in statement.carried)
            for inner in statement.body:
                yield from definitions(inner)
            yield from (carried.after for carried in statement.carried)
            yield from (after for after, _ in statement.last)
            yield from dict.fromkeys(
                value
                for one in statement.collected
                for value in (one.items, one.result)
            )
        case RunScan():
            yield from (value for value in statement.target if value is not None)


def local(value: Local) -> Placeholder:
    """A value as an expression."""
    return Placeholder(value)


def target_of(values: tuple[Expr, ...]) -> Expr:
    """One value, or several as a tuple."""
    return values[0] if len(values) == 1 else TupleExpr(values)
