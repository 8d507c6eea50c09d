"""Layers that run where the same inputs are given share one `if`.

    if mask is not None:
        mask = mask.unsqueeze(-1)
        x = x * mask

What has no value elsewhere is asked for once: `wide is not None` says no more than the `mask is not None` around it.
A value that another takes the place of where it is absent stands in one line with it:

    embedded = self.embed(label) if label is not None else self.null_label
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace

from compiler.codegen.python import (
    Compare,
    Conditional,
    Expr,
    Literal,
    Logic,
    Placeholder,
    lit,
)
from compiler.codegen.traversal import filled, placeholders
from compiler.dataclass import dataclass
from compiler.ir.module import Body, Choose, Let, Local, Origin, Stmt, reads, refilled
from compiler.lower.class_ir import ClassIR

_NONE = lit(None)


def join_conditions(ir: ClassIR) -> ClassIR:
    """The class with one `if` for each run of layers under the same condition, where that asks for inputs."""
    asking = {n for n, node in ir.plan.scope.nodes.items() if node.layer.asks_given}
    if not asking:
        return ir
    body = _Joiner(asking, ir.body).body()
    return replace(ir, body=body)


@dataclass(frozen=True, eq=False)
class _Conditioned:
    """Statements under a condition: the parts of it that must hold, and what there is after it."""

    first: Stmt
    tests: tuple[Expr, ...]
    body: tuple[Stmt, ...]
    results: tuple[tuple[Local, Local, Expr], ...]
    """The value after it, that of the body, and the other one."""
    joined: bool = False

    def absent(self) -> set[Expr]:
        """The questions that its condition answers: whether there is what it alone gives."""
        return {
            Compare("is not", Placeholder(after), _NONE)
            for after, _, other in self.results
            if other == _NONE
        }


@dataclass
class _Joiner:
    asking: set[str]
    before: Body
    origins: dict[int, Origin] = field(default_factory=dict)

    def body(self) -> Body:
        """The statements, joined where they can be."""
        self.origins = dict(self.before.origins)
        self._read = Counter(_reads(self.before.statements, self.before.outputs))
        found: list[Stmt | _Conditioned] = []
        for statement in self.before.statements:
            one = self._guarded(statement)
            last = found[-1] if found else None
            if one is None:
                found.append(statement)
            elif isinstance(last, _Conditioned) and self._goes_with(last, one):
                found[-1] = self._joined(last, one)
            else:
                found.append(self._in_one_line(found, one))
        done = tuple(self._statements(found))
        return replace(self.before, statements=done, origins=self.origins)

    def _guarded(self, statement: Stmt) -> _Conditioned | None:
        """A statement under a condition that asks for inputs; None for any other."""
        if statement.layer not in self.asking:
            return None
        match statement:
            case Choose(test=test, body=body, results=results):
                pairs = ((a, b, _NONE if c is None else c) for a, b, c in results)
                return _Conditioned(statement, _parts(test), body, tuple(pairs))
            case Let(
                target=Placeholder(Local() as after), value=Conditional() as value
            ):
                inside = Local(len(self.origins))
                self.origins[inside.number] = self.origins[after.number]
                let = replace(statement, target=Placeholder(inside), value=value.body)
                results = ((after, inside, value.orelse),)
                return _Conditioned(statement, _parts(value.test), (let,), results)
        return None

    def _goes_with(self, one: _Conditioned, other: _Conditioned) -> bool:
        """Whether another runs where one does."""
        return {*other.tests} - one.absent() == {*one.tests}

    def _joined(self, one: _Conditioned, other: _Conditioned) -> _Conditioned:
        inside = {after: Placeholder(value) for after, value, _ in one.results}
        outside = {after: value for after, _, value in one.results}
        body = (refilled(part, _putting(inside)) for part in other.body)
        results = (
            (after, value, filled(passed, _putting(outside)))
            for after, value, passed in other.results
        )
        return replace(
            one,
            body=(*one.body, *body),
            results=(*one.results, *results),
            joined=True,
        )

    def _in_one_line(
        self, before: list[Stmt | _Conditioned], other: _Conditioned
    ) -> Stmt | _Conditioned:
        """A value in place of one that is absent, as one statement with that; the other one is taken away."""
        match other:
            case _Conditioned(
                tests=(test,), body=(Let() as let,), results=((after, _, passed),)
            ):
                pass
            case _:
                return other
        place = next(
            (n for n, one in enumerate(before) if _is_instead(one, test, passed)), None
        )
        if place is None or self._read[_local(passed)] > 1:
            return other
        one = before[place]
        assert isinstance(one, _Conditioned)
        if len(one.body) > 1 and not isinstance(let.value, Placeholder):
            return other
        del before[place]
        ((_, inside, _),) = one.results
        return replace(one, results=((after, inside, let.value),), first=other.first)

    def _statements(self, found: Sequence[Stmt | _Conditioned]) -> Iterator[Stmt]:
        """The statements; of joined ones those results alone are left that something else reads."""
        plain = [one for one in found if not isinstance(one, _Conditioned)]
        read = Counter(_reads(plain, self.before.outputs))
        for one in found:
            if isinstance(one, _Conditioned):
                others = (value for *_, value in one.results)
                read.update(_reads(one.body, (*one.tests, *others)))
        known: dict[Expr, set[Expr]] = {}
        for one in found:
            if isinstance(one, _Conditioned):
                tests = tuple(_needed(one, known))
                known |= {test: {*one.tests} for test in one.absent()}
                yield _statement(replace(one, tests=tests), read)
            else:
                yield one


def _needed(one: _Conditioned, known: Mapping[Expr, set[Expr]]) -> Iterator[Expr]:
    """The parts of a condition that no other part answers: what is there only with the mask is asked for alone.

    `known` are those answers. A part is kept for a type checker where the statements read what it asks for.
    """
    read = {*_reads(one.body, ())}
    for test in one.tests:
        match test:
            case Compare("is not", Placeholder(Local() as value), Literal(None)):
                others = (known.get(t, ()) for t in one.tests if t != test)
                if value not in read and any(test in answers for answers in others):
                    continue
        yield test


def _statement(one: _Conditioned, read: Counter[Hashable]) -> Stmt:
    if isinstance(one.first, Let) and len(one.body) == 1:
        (let,), ((after, _, other),) = one.body, one.results
        if isinstance(let, Let):
            value = Conditional(_all(one.tests), let.value, other)
            return replace(one.first, target=Placeholder(after), value=value)
    results = tuple(found for found in one.results if read[found[0]] or not one.joined)
    kinds = one.first.kinds if isinstance(one.first, Choose | Let) else ()
    return Choose(one.first.layer, _all(one.tests), one.body, results, kinds)


def _is_instead(one: Stmt | _Conditioned, test: Expr, passed: Expr) -> bool:
    """Whether a statement gives a value that is absent under a condition, which another one takes the place of."""
    if not isinstance(one, _Conditioned) or len(one.tests) > 1 or len(one.results) > 1:
        return False
    ((after, _, other),) = one.results
    opposite = _opposite(one.tests[0])
    return other == _NONE and passed == Placeholder(after) and opposite == test


def _opposite(test: Expr) -> Expr | None:
    match test:
        case Compare("is" | "is not" as op, left, Literal(None) as right):
            return Compare("is" if op == "is not" else "is not", left, right)
    return None


def _parts(test: Expr) -> tuple[Expr, ...]:
    return test.items if isinstance(test, Logic) and test.op == "and" else (test,)


def _all(tests: tuple[Expr, ...]) -> Expr:
    return tests[0] if len(tests) == 1 else Logic("and", tests)


def _local(code: Expr) -> Hashable:
    assert isinstance(code, Placeholder)
    return code.key


def _putting(values: Mapping[Local, Expr]) -> Callable[[Hashable], Expr]:
    """Values in place of others."""
    return lambda key: (
        values[key] if isinstance(key, Local) and key in values else Placeholder(key)
    )


def _reads(statements: Iterable[Stmt], codes: Iterable[Expr]) -> Iterator[Hashable]:
    for one in statements:
        yield from reads(one)
    for code in codes:
        yield from placeholders(code)
