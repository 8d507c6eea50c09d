"""Apply a rule to one tensor: captures and params are filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final, Literal

from compiler.checkpoint.assembly import (
    Assembly,
    Chunked,
    Joined,
    Reshaped,
    Sliced,
    Taken,
    Transposed,
)
from compiler.dataclass import dataclass
from compiler.language.checkpoint import Composition
from compiler.op.arg_types import Formula
from compiler.parse.path_error import Path, PathError
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate

MOST: Final = 100_000
"""Published tensors that one of ours may be made of."""

Values = Mapping[str, Value]


class TooMuch(Exception):
    """Applying the rules would take too long."""


@dataclass
class WorkLimit:
    """The work that is left, counted in compared names and written characters."""

    left: int

    def spend(self, work: int) -> None:
        """Spend some work.

        Raises:
            TooMuch: if less is left.
        """
        self.left -= work
        if self.left < 0:
            raise TooMuch


def make(composition: Composition, values: Values, budget: WorkLimit) -> Assembly:
    """Evaluate a composition with the values of captures and params.

    Raises:
        PathError: if an expression has no value, or an invalid one.
        TooMuch: if the work limit is exceeded.
    """
    return _Assembler(budget).make(composition, values, ())


class _Assembler:
    """Makes one tensor, of so many others and no more."""

    def __init__(self, budget: WorkLimit) -> None:
        self.budget = budget
        self.taken = 0

    def make(self, composition: Composition, values: Values, path: Path) -> Assembly:
        made = self._source(composition, values, path)
        for step in composition.steps:
            made = _step(step, made, composition, values, path)
        return made

    def _source(self, composition: Composition, values: Values, path: Path) -> Assembly:
        if composition.name is not None:
            return self._take(composition, values, path)
        if composition.source is not None:
            return self.make(composition.source, values, (*path, "from"))
        if composition.concat is not None:
            return self._join("concat", composition.concat, composition, values, path)
        return self._join("stack", composition.stack or [], composition, values, path)

    def _take(self, composition: Composition, values: Values, path: Path) -> Assembly:
        self.taken += 1
        if self.taken > MOST:
            raise _bad_rule(f"a tensor is made of {MOST:,} others at most", path)
        try:
            name = composition.name.fill(values)
        except ExpressionError as error:
            offsets = error.start, error.end
            raise _bad_rule(error.message, path, offsets) from None
        self.budget.spend(len(name) + len(composition.name.pieces))
        return Taken(name)

    def _join(
        self,
        how: Literal["concat", "stack"],
        items: list[Composition],
        composition: Composition,
        values: Values,
        path: Path,
    ) -> Assembly:
        parts = tuple(
            self.make(item, counted, (*path, how, number))
            for counted in _counted(composition, values, path)
            for number, item in enumerate(items)
        )
        if not parts:
            raise _bad_rule("there is no tensor to join", (*path, "over"))
        return Joined(how, parts, composition.dim)


def _counted(composition: Composition, values: Values, path: Path) -> Iterator[Values]:
    """The values with those of the counters, for every place of theirs."""
    over = composition.over or {}
    total, counts = 1, []
    for name, written in over.items():
        count = max(0, _integer(written, values, (*path, "over", name)))
        counts.append(range(count))
        total = min(total * count, MOST + 1)
    if total > MOST:
        message = f"a tensor is made of {MOST:,} others at most"
        raise _bad_rule(message, (*path, "over"))
    for chosen in product(*counts) if total else ():
        yield {**values, **dict(zip(over, chosen, strict=True))}


def _step(
    step: str, made: Assembly, composition: Composition, values: Values, path: Path
) -> Assembly:
    numbers = tuple(
        _integer(item, values, (*path, step, k))
        for k, item in enumerate(getattr(composition, step))
    )
    if step == "reshape":
        return _reshape(made, numbers, (*path, step))
    first, second = numbers
    if step == "transpose":
        return Transposed(made, first, second)
    if not 0 <= first < second:
        raise _bad_rule(_EMPTY[step].format(first, second), (*path, step))
    part = Chunked if step == "chunk" else Sliced
    return part(made, first, second, composition.dim)


def _bad_rule(
    message: str, path: Path, offsets: tuple[int, int] | None = None
) -> PathError:
    """A rule that gives no tensor."""
    return PathError("bad-rule", message, path, offsets=offsets)


_EMPTY = {
    "chunk": "chunk is a part, from 0, and how many there are: {} is none of {}",
    "slice": "slice goes from a place to a later one, not from {} to {}",
}


def _reshape(made: Assembly, shape: tuple[int, ...], path: Path) -> Assembly:
    if min(shape, default=0) < -1 or shape.count(-1) > 1:
        raise _bad_rule("sizes are 0 or more, and one may be -1", path)
    return Reshaped(made, shape)


def _integer(item: Any, values: Values, path: Path) -> int:
    if not isinstance(item, Formula):
        return int(item)
    try:
        value = evaluate(item.expr, values)
    except ExpressionError as error:
        raise _bad_rule(error.message, path, (error.start, error.end)) from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise _bad_rule("this is no integer", path)
    return value
