"""The sizes that `forward` uses: params that the object keeps, and dimensions that are read off the inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace

from compiler.codegen.python import Binary, Expr, Placeholder, attr, subscript
from compiler.codegen.traversal import filled, placeholders
from compiler.dataclass import dataclass
from compiler.ir.module import (
    Let,
    Local,
    Loop,
    Origin,
    ScopeName,
    ScopeNumber,
    Stmt,
    reads,
    refilled,
)
from compiler.lower.class_ir import ClassIR
from compiler.lower.class_plan import ClassPlan
from compiler.lower.evaluate_code import number_code
from compiler.lower.parted import Unwritten
from compiler.lower.scope_code import name_of, size_code
from compiler.symbolic.dims import Dim, exact_div
from compiler.symbolic.symbol_table import COUNTER
from compiler.symbolic.symbols import EllipsisDim, InputDim, Symbol
from compiler.symbolic.tensor import is_ellipsis

Size = ScopeName | ScopeNumber
"""What a size is made of that `forward` must find."""

_COUNTER = ScopeName(COUNTER)


@dataclass(frozen=True, slots=True)
class Kept:
    """A param, or a dimension that no input tells, which the object keeps for `forward`."""

    name: str


def read_sizes(ir: ClassIR) -> ClassIR:
    """Give every size that `forward` uses a place to be read from.

    A dimension that is read twice or more becomes a value at the beginning, where every path passes.
    """
    if ir.before is not None:
        alone = replace(ir, body=ir.before, before=None, initial={}, limit=None)
        ir = replace(ir, before=read_sizes(alone).body)
    reader = _Reader(ir)
    for statement in ir.body.statements:
        for key in reads(statement):
            reader.count(key)
    statements = tuple(map(reader.placed, ir.body.statements))
    _require_places(ir.plan, statements)
    overwriting = {
        number: (source, filled(code, reader.place))
        for number, (source, code) in ir.overwriting.items()
    }
    body = replace(
        ir.body, statements=(*reader.lines, *statements), origins=reader.origins
    )
    initial = {layer: filled(code, reader.kept) for layer, code in ir.initial.items()}
    limit = None if ir.limit is None else filled(ir.limit, reader.kept)
    return replace(ir, body=body, overwriting=overwriting, initial=initial, limit=limit)


def _require_places(plan: ClassPlan, statements: Iterable[Stmt]) -> None:
    """Check that `forward` reads no name of `__init__`; the body of a loop reads the number of the copy.

    Raises:
        Unwritten: where it does.
    """
    for statement in statements:
        body = statement.body if isinstance(statement, Loop) else ()
        outside = (
            replace(statement, body=()) if isinstance(statement, Loop) else statement
        )
        inside = {key for one in body for key in reads(one)} - {_COUNTER}
        keys = inside.union(reads(outside))
        found = next((k for k in keys if isinstance(k, ScopeName | ScopeNumber)), None)
        if found is not None:
            name = found.name if isinstance(found, ScopeName) else str(found.symbol)
            reason = f"{name} is known where it is built, and needed where it runs"
            raise Unwritten(plan, statement.layer, reason)


class _Reader:
    def __init__(self, ir: ClassIR) -> None:
        self.plan, self.body = ir.plan, ir.body
        self.origins = dict(ir.body.origins)
        self.lines: list[Stmt] = []
        self._params = ir.plan.scope.environment.params
        self._inputs = dict(ir.body.inputs)
        self._so_far = frozenset[str]() if ir.steps is None else ir.steps.so_far
        self._known: dict[Size, Expr | None] = {}
        self._reads: Counter[Size] = Counter()
        self._values: dict[Size, Local] = {}

    def count(self, key: Hashable) -> None:
        """Note that `forward` reads what is at a placeholder."""
        if isinstance(key, Size):
            code = self._read(key)
            if code is not None:
                self._reads[key] += 1
                for inner in placeholders(code):
                    self.count(inner)

    def placed(self, statement: Stmt) -> Stmt:
        """A statement with every size in its place; in a loop `i` counts the copies."""
        if not any(isinstance(key, Size) for key in reads(statement)):
            return statement
        found = refilled(statement, self.place)
        if not isinstance(statement, Loop):
            return found
        assert isinstance(found, Loop)
        # How often it runs, and what goes in, is told by the number of the copy around it.
        inside = tuple(refilled(one, self._place_in_loop) for one in statement.body)
        return replace(found, body=inside)

    def _place_in_loop(self, key: Hashable) -> Expr:
        return Placeholder(key) if key == _COUNTER else self.place(key)

    def place(self, key: Hashable) -> Expr:
        """What is put at a placeholder."""
        if not isinstance(key, Size):
            return Placeholder(key)
        code = self._read(key)
        if code is None:
            return self._kept(key)
        if self._reads[key] < 2:
            return filled(code, self.place)
        if key not in self._values:
            line = filled(code, self.place)
            value = Local(len(self.origins))
            word = key.name if isinstance(key, ScopeName) else str(key.symbol)
            self.origins[value.number] = Origin("", step=word.lower())
            self._values[key] = value
            self.lines.append(Let("", Placeholder(value), line))
        return Placeholder(self._values[key])

    def kept(self, key: Hashable) -> Expr:
        """What is put at a placeholder where there are no inputs."""
        if isinstance(key, ScopeName | ScopeNumber):
            return self._kept(key)
        return Placeholder(key)

    def _kept(self, key: Size) -> Expr:
        """What no input tells: a param, or a dimension that the constructor takes."""
        if isinstance(key, ScopeNumber):
            return Placeholder(Kept(name_of(key, self.plan)))
        if key.name in self.plan.fixed:
            return number_code(self.plan.fixed[key.name])
        return Placeholder(Kept(key.name))

    def _read(self, key: Size) -> Expr | None:
        if key not in self._known:
            symbol = self._symbol(key)
            self._known[key] = None if symbol is None else self._best(symbol)
        return self._known[key]

    def _symbol(self, key: Size) -> Symbol | None:
        """The dimension that a size is; None for a param, and the number of a copy."""
        if isinstance(key, ScopeNumber):
            return key.symbol if isinstance(key.symbol, EllipsisDim) else None
        if key.name in self._params or key.name == COUNTER:
            return None
        return InputDim(self.plan.first.names.owner, key.name)

    def _best(self, symbol: Symbol) -> Expr | None:
        """How `forward` reads a dimension off its inputs: `x.shape[1]`.

        Where the dimension stands in a formula alone (`2 * N`), the size is solved for it.
        """
        best: Expr | None = None
        for size, place in self._places():
            solved = solve(size, symbol)
            if solved is None:
                continue
            if size.alone is symbol:
                return place
            best = best or _solved(place, *solved)
        return best

    def _places(self) -> Iterator[tuple[Dim, Expr]]:
        """The sizes of the inputs that are always there, and how `forward` reads them."""
        for port, kind in self.plan.first.inputs.items():
            if (
                kind is None
                or port not in self._inputs
                or (port in self.plan.scope.inputs and self.plan.is_optional(port))
                or port in self._so_far
            ):
                continue
            shape = attr(Placeholder(self._inputs[port]), "shape")
            for axis, size in enumerate(kind.shape):
                behind = any(is_ellipsis(other) for other in kind.shape[:axis])
                if _same_everywhere(
                    self.plan, port, axis - kind.rank if behind else axis, size
                ):
                    yield size, subscript(shape, axis - kind.rank if behind else axis)


def _same_everywhere(plan: ClassPlan, port: str, axis: int, size: Dim) -> bool:
    """Whether an input has this size at an axis in every use."""
    for use in plan.uses[1:]:
        kind = use.inputs.get(port)
        if kind is None or not -kind.rank <= axis < kind.rank:
            return False
        if kind.shape[axis] != size and use.context.value(
            kind.shape[axis]
        ) != use.context.value(size):
            return False
    return True


def _solved(place: Expr, factor: Dim, rest: Dim) -> Expr:
    if rest != 0:
        place = Binary("-", place, size_code(rest))
    if factor == 1:
        return place
    return Binary("//", place, size_code(factor))


def solve(size: Dim, symbol: Symbol) -> tuple[Dim, Dim] | None:
    """`a` and `b` with `size == a * symbol + b`, both free of the symbol."""
    if symbol not in size.symbols:
        return None
    rest = size.substitute({symbol: 0})
    factor = exact_div(size - rest, Dim.symbol(symbol))
    if factor is None or symbol in factor.symbols:
        return None
    return factor, rest
