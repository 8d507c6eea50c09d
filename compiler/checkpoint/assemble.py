"""From a rule to what it says of one tensor: captures and params in place of names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from compiler.language.checkpoint import Recipe
from compiler.op.arg_types import Formula
from compiler.symbolic.evaluate import ExpressionError, Value, evaluate

MOST: Final = 100_000
"""Published tensors that one of ours may be made of."""

Path = tuple[str | int, ...]
Values = Mapping[str, Value]


class RuleError(Exception):
    """A rule that gives no tensor: what is wrong, and where below the rule it stands."""

    def __init__(
        self, message: str, place: Path = (), offsets: tuple[int, int] | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.place, self.offsets = message, place, offsets


class TooMuch(Exception):
    """The rules ask for more work than there is time for."""


@dataclass
class WorkLimit:
    """How much work is left, in names compared and in characters written."""

    left: int

    def spend(self, work: int) -> None:
        """Do so much work.

        Raises:
            TooMuch: where less is left.
        """
        self.left -= work
        if self.left < 0:
            raise TooMuch


def make(recipe: Recipe, values: Values, budget: WorkLimit) -> Assembly:
    """What a recipe says, over the values of captures and params.

    Raises:
        RuleError: where an expression has no value, or one that makes no sense there.
        TooMuch: where the budget does not last.
    """
    return _Assembler(budget).make(recipe, values, ())


class _Assembler:
    """Makes one tensor, of so many others and no more."""

    def __init__(self, budget: WorkLimit) -> None:
        self.budget = budget
        self.taken = 0

    def make(self, recipe: Recipe, values: Values, place: Path) -> Assembly:
        made = self._source(recipe, values, place)
        for step in recipe.steps:
            made = _step(step, made, recipe, values, place)
        return made

    def _source(self, recipe: Recipe, values: Values, place: Path) -> Assembly:
        if recipe.name is not None:
            return self._take(recipe, values, place)
        if recipe.source is not None:
            return self.make(recipe.source, values, (*place, "from"))
        if recipe.concat is not None:
            return self._join("concat", recipe.concat, recipe, values, place)
        return self._join("stack", recipe.stack or [], recipe, values, place)

    def _take(self, recipe: Recipe, values: Values, place: Path) -> Assembly:
        self.taken += 1
        if self.taken > MOST:
            raise RuleError(f"a tensor is made of {MOST:,} others at most", place)
        try:
            name = recipe.name.fill(values)
        except ExpressionError as error:
            offsets = error.start, error.end
            raise RuleError(error.message, place, offsets) from None
        self.budget.spend(len(name) + len(recipe.name.pieces))
        return Taken(name)

    def _join(
        self,
        how: Literal["concat", "stack"],
        items: list[Recipe],
        recipe: Recipe,
        values: Values,
        place: Path,
    ) -> Assembly:
        parts = tuple(
            self.make(item, counted, (*place, how, number))
            for counted in _counted(recipe, values, place)
            for number, item in enumerate(items)
        )
        if not parts:
            raise RuleError("there is no tensor to join", (*place, "over"))
        return Joined(how, parts, recipe.dim)


def _counted(recipe: Recipe, values: Values, place: Path) -> Iterator[Values]:
    """The values with those of the counters, for every place of theirs."""
    over = recipe.over or {}
    total, counts = 1, []
    for name, written in over.items():
        count = max(0, _integer(written, values, (*place, "over", name)))
        counts.append(range(count))
        total = min(total * count, MOST + 1)
    if total > MOST:
        message = f"a tensor is made of {MOST:,} others at most"
        raise RuleError(message, (*place, "over"))
    for chosen in product(*counts) if total else ():
        yield {**values, **dict(zip(over, chosen, strict=True))}


def _step(
    step: str, made: Assembly, recipe: Recipe, values: Values, place: Path
) -> Assembly:
    numbers = tuple(
        _integer(item, values, (*place, step, k))
        for k, item in enumerate(getattr(recipe, step))
    )
    if step == "reshape":
        return _reshape(made, numbers, (*place, step))
    first, second = numbers
    if step == "transpose":
        return Transposed(made, first, second)
    if not 0 <= first < second:
        raise RuleError(_EMPTY[step].format(first, second), (*place, step))
    part = Chunked if step == "chunk" else Sliced
    return part(made, first, second, recipe.dim)


_EMPTY = {
    "chunk": "chunk is a part, from 0, and how many there are: {} is none of {}",
    "slice": "slice goes from a place to a later one, not from {} to {}",
}


def _reshape(made: Assembly, shape: tuple[int, ...], place: Path) -> Assembly:
    if min(shape, default=0) < -1 or shape.count(-1) > 1:
        raise RuleError("sizes are 0 or more, and one may be -1", place)
    return Reshaped(made, shape)


def _integer(item: Any, values: Values, place: Path) -> int:
    if not isinstance(item, Formula):
        return int(item)
    try:
        value = evaluate(item.expr, values)
    except ExpressionError as error:
        raise RuleError(error.message, place, (error.start, error.end)) from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise RuleError("this is no integer", place)
    return value
