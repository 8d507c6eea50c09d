"""What the constructor of a network demands of its arguments: for other values the spec does not compile."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf
from types import MappingProxyType

from compiler.codegen.expression_layout import flat
from compiler.codegen.python import (
    Binary,
    Call,
    Compare,
    Expr,
    Literal,
    Name,
    Placeholder,
    Slice,
    Starred,
    Subscript,
    call,
    lit,
)
from compiler.codegen.traversal import filled, placeholders, walk
from compiler.diagnostics.text import listed
from compiler.infer.param_values import shown
from compiler.ir.module import ScopeName
from compiler.ir.typed import Instance
from compiler.language.params import Param
from compiler.lower.class_ir import Demand
from compiler.lower.class_plan import ClassPlan
from compiler.lower.code_bounds import UNBOUNDED, Bounds, is_multiple
from compiler.lower.evaluate_code import Unknown, folded_numbers, number_code, value_of
from compiler.lower.required_numbers import Required
from compiler.lower.scope_code import name_code, size_code, value_code
from compiler.symbolic.evaluate import Value
from compiler.symbolic.intervals import Interval
from compiler.symbolic.symbol_table import COUNTER

_LONGEST_TEST, _LONGEST_MESSAGE = 69, 56
"""Characters of what is compared, and of a message, that fit in a line."""


def equal_sizes(plan: ClassPlan) -> Iterator[Demand]:
    """Sizes of a network that layers took for equal by their values: they must be for other values, too."""
    if plan.scope.kind != "network":
        return
    for left, right in plan.first.context.decided:
        codes = size_code(left), size_code(right)
        names = {
            key.name
            for code in codes
            for key in placeholders(code)
            if isinstance(key, ScopeName)
        }
        if names and names <= set(plan.scope.params):
            yield Compare("!=", *codes), f"{left} and {right} must be equal"


def bounds(
    plan: ClassPlan,
    taken: Collection[str],
    positive: Collection[str],
    required: Iterable[Required],
    demanded: Iterable[Expr],
    uses: Sequence[Instance],
) -> Iterator[Demand]:
    """The bounds of the arguments of a class: those declared, those that are at least 1, then what they do not prove.

    `taken` are the params that it takes; for those in `positive`, 0 was tried and is none of their values. `demanded`
    are tests that it demands already; at `uses` it compiles: what they do not have is not demanded.
    """
    found = _Bounds(plan, taken, positive, demanded)
    told = (_under_open_conditions(one, plan.fixed) for one in required)
    asked = [
        *_longest(
            one
            for one in told
            if one is not None
            and found.takes(one)
            and not any(_is_refuted(one, use) for use in uses)
        )
    ]
    whole = set(_whole_lists(asked, plan))
    places = {name: place for place, name in enumerate(plan.scope.params)}
    for one in sorted(asked, key=lambda one: _order(one, places)):
        if not found.is_proven(one):
            found.add(one, whole)
    for name, param in found.params.items():
        yield from _declared(name, param)
    stars = [(Starred(name_code(name)), name) for name in found.lists]
    longer = {
        code
        for least, numbers in found.lengths.items()
        if isinstance(least, Literal)
        for code, _ in numbers
    }
    starred = {call("len", name_code(name)) for name in found.lists} - longer
    known = [one for one in found.numbers if one[0] in starred]
    short = [one for one in found.numbers if one[0] not in longer | starred]
    # A list that is not empty, before its items are compared with other numbers.
    yield from _at_least(known, lit(1))
    for least, numbers in found.lengths.items():
        yield from _at_least(numbers, least)
    yield from _at_least([*short, *stars], lit(1))
    yield from ((one.test, message) for one, message in found.multiples.items())
    yield from _at_least(found.formulas, lit(1))
    for least, numbers in found.counts.items():
        yield from _at_least(numbers, least)
    yield from found.others


def _under_open_conditions(
    one: Required, fixed: Mapping[str, Value]
) -> Required | None:
    """What is required without conditions that always hold; None where one never does, or proves it."""
    rest: list[Expr] = []
    for condition in one.conditions:
        match _told(condition, fixed), one.least:
            case Literal(bool(value)), _:
                if not value:
                    return None
                continue
            case Compare(">" | ">=" as op, code, Literal(int(low))), Literal(
                int(least)
            ):
                if code == one.code and low + (op == ">") >= least:
                    return None
        rest.append(condition)
    return replace(one, conditions=tuple(rest))


def _is_refuted(one: Required, use: Instance) -> bool:
    """Whether a network that compiles does not have what is required, or has something else than a number there."""
    try:
        if ScopeName(COUNTER) in placeholders(one.code):
            assert isinstance(one.code, Subscript)
            found = value_of(one.code.value, use)
        else:
            found = value_of(one.code, use)
        if not isinstance(found, tuple):
            return bool(value_of(one.test, use))
        least = value_of(one.least, use)
        return any(isinstance(item, str | tuple) or item < least for item in found)
    except (Unknown, TypeError):
        return True


def _longest(required: Iterable[Required]) -> Iterator[Required]:
    """What is required, of each number that is always to be at least others the largest of these alone."""
    found = list(required)
    largest: dict[Expr, int] = {}
    for one in found:
        match one:
            case Required(code, Literal(int(least)), (), False):
                largest[code] = max(least, largest.get(code, least))
    for one in found:
        match one:
            case Required(code, Literal(int(least)), (), False) if (
                least < largest[code]
            ):
                continue
        yield one


def _order(one: Required, params: Mapping[str, int]) -> tuple[bool, bool, int, int]:
    """Names first, then short formulas, which prove longer ones; of equal ones, as their params are declared."""
    plain = isinstance(one.code, Placeholder) and not one.is_multiple
    names = [key.name for key in placeholders(one.code) if isinstance(key, ScopeName)]
    places = [params[name] for name in names if name in params]
    length = sum(len(list(walk(code))) for code in one.codes)
    return not plain, not one.is_multiple, length, min(places, default=0)


class _Bounds:
    """What is demanded of the arguments of a class, and what is known of those for which it holds."""

    def __init__(
        self,
        plan: ClassPlan,
        taken: Collection[str],
        positive: Collection[str],
        demanded: Iterable[Expr],
    ) -> None:
        self.plan, self.taken = plan, taken
        params = plan.scope.params.items() if plan.scope.kind == "network" else ()
        self.params = {name: param for name, param in params if name in taken}
        self.numbers: list[tuple[Expr, str]] = []
        """The numbers that are at least 1, and how a message names them."""
        self.lists: list[str] = []
        """The lists of numbers of at least 1."""
        self.lengths: dict[Expr, list[tuple[Expr, str]]] = {}
        """How long lists are, by the least that they are: before items of them are asked for."""
        self.multiples: dict[Required, str] = {}
        """Numbers that are multiples of others, with the message."""
        self.formulas: list[tuple[Expr, str]] = []
        """Those that are worked out: after the numbers that they are divided by."""
        self.counts: dict[Expr, list[tuple[Expr, str]]] = {}
        """Numbers that are at least others than 1, such as numbers of copies, by these."""
        self.others: list[Demand] = []
        dims = {n for use in plan.uses for n in use.names} - plan.scope.params.keys()
        sizes: dict[str, Interval] = dict.fromkeys(dims - {COUNTER}, (1, inf))
        self.known = Bounds({**sizes, **dict(self._declared())}, {})
        for test in demanded:
            if isinstance(test, Compare) and test.op == "<":
                self.known.learn(test.left, test.right)
        for name, param in self.params.items():
            if self.known.names.get(name, UNBOUNDED)[0] >= 1:
                continue
            if name in positive and not _is_bounded(param) and _is_positive(plan, name):
                self.numbers.append(_least(plan, name))
                self.known.names[name] = 1, inf

    def _declared(self) -> Iterator[tuple[str, Interval]]:
        """The bounds that params have, and values that are fixed."""
        for name, param in self.params.items():
            low = -inf if param.min is None else param.min
            high = inf if param.max is None else param.max
            yield name, (low, high)
        for name, value in self.plan.fixed.items():
            if isinstance(value, int | float):
                yield name, (value, value)

    def takes(self, one: Required) -> bool:
        """Whether its names are arguments, or fixed."""
        asked = {
            key.name
            for code in one.codes
            for key in placeholders(code)
            if isinstance(key, ScopeName) and key.name != COUNTER
        }
        fixed = self.plan.fixed.keys()
        counted = [c for c in one.codes if ScopeName(COUNTER) in placeholders(c)]
        if counted and (counted != [one.code] or not _list_of(one.code, self.plan)):
            return False
        return asked <= {*self.taken, *fixed} and bool(asked - fixed)

    def is_proven(self, one: Required) -> bool:
        """Whether it holds for all arguments for which all demands so far do not."""
        if one.is_multiple:
            return one in self.multiples or is_multiple(one.code, one.least)
        return self.known.at_least(one.code, one.least)

    def add(self, one: Required, whole: Collection[tuple[str, Expr]]) -> None:
        """Demand it; `whole` has lists with the least that all of their items are."""
        text, least = (
            _text(one.code, self.plan.fixed),
            _text(one.least, self.plan.fixed),
        )
        message = f"{text} must be at least {least}"
        if one.is_multiple:
            self.multiples[one] = f"{text} must be a multiple of {least}"
            if not one.conditions:
                self.known.learn(Binary("//", one.code, one.least), lit(1))
            return
        if one.conditions:
            place = 0 if _is_length(one.code) else len(self.others)
            self.others.insert(place, (one.test, message))
            return
        listed = _list_of(one.code, self.plan), one.least
        if listed in whole:
            self._add_list(*listed)
            return
        self.known.learn(one.code, one.least)
        if _is_length(one.code):
            self.lengths.setdefault(one.least, []).append((one.code, text))
        elif one.least != lit(1):
            self.counts.setdefault(one.least, []).append((one.code, text))
        elif isinstance(one.code, Placeholder):
            self.numbers.append((one.code, text))
        else:
            self.formulas.append((one.code, text))

    def _add_list(self, name: str, least: Expr) -> None:
        assert isinstance(least, Literal)
        assert isinstance(least.value, int)
        self.known.items[name] = least.value, inf
        never_empty = self.known.names.get(name, (0, inf))[0] >= 1
        if least.value == 1 and never_empty:
            self.lists.append(name)
            return
        if never_empty:
            every = Starred(name_code(name)), name
            self.counts.setdefault(least, []).append(every)
            return
        code = call("min", name_code(name), default=least)
        message = f"{name} must be at least {least.value}"
        self.others.append((Compare("<", code, least), message))


def _whole_lists(
    required: Iterable[Required], plan: ClassPlan
) -> Iterator[tuple[str, Expr]]:
    """The lists whose items are all at least a number."""
    items: dict[tuple[str, Expr], set[object]] = {}
    for one in required:
        name = _list_of(one.code, plan)
        if (
            name
            and isinstance(one.least, Literal)
            and not one.conditions
            and not one.is_multiple
        ):
            match one.code:
                case Subscript(_, (Literal(number),)):
                    items.setdefault((name, one.least), set()).add(number)
                case _:
                    yield name, one.least
    for (name, least), numbers in items.items():
        value = plan.first.params[name]
        if isinstance(value, tuple) and numbers == set(range(len(value))):
            yield name, least


def _is_length(code: Expr) -> bool:
    """Whether it is the length of a list, which comes before items of it are asked for."""
    return isinstance(code, Call) and code.func == Name("len")


def _list_of(code: Expr, plan: ClassPlan) -> str:
    """The param whose items, or one of them, code is."""
    match code:
        case Subscript(Placeholder(ScopeName(name)), (index,)):
            return "" if isinstance(index, Slice) else name
        case Placeholder(ScopeName(name)):
            return name if isinstance(plan.first.params.get(name), tuple) else ""
    return ""


def _told(code: Expr, fixed: Mapping[str, Value]) -> Expr:
    """Code with numbers for the names that are fixed."""

    def name(key: Hashable) -> Expr:
        value = fixed.get(key.name) if isinstance(key, ScopeName) else None
        return Placeholder(key) if value is None else number_code(value)

    return folded_numbers(filled(code, name))


def _text(code: Expr, fixed: Mapping[str, Value] = MappingProxyType({})) -> str:
    """Code in the names of the spec; numbers for those that are fixed."""

    def name(key: Hashable) -> Expr:
        return Name(key.name) if isinstance(key, ScopeName) else Placeholder(key)

    return flat(filled(_told(code, fixed), name))


def _at_least(numbers: Iterable[tuple[Expr, str]], least: Expr) -> Iterator[Demand]:
    """That numbers are at least another: as many in a line as it has the place for."""
    line: list[tuple[Expr, str]] = []
    for number in numbers:
        columns = sum(map(_columns, [*line, number])) + len(_text(least)) - 1
        if line and columns > _LONGEST_TEST:
            yield _in_one_line(line, least)
            line = []
        line.append(number)
    if line:
        yield _in_one_line(line, least)


def _columns(number: tuple[Expr, str]) -> int:
    """The columns of a number and a comma."""
    code, text = number
    return len(text) + 2 + isinstance(code, Starred)


def _in_one_line(numbers: list[tuple[Expr, str]], least: Expr) -> Demand:
    """That several numbers are at least another; the message names them if it has the place."""
    codes = [code for code, _ in numbers]
    if len(codes) == 1:
        (code,) = codes
        number = call("min", code.value) if isinstance(code, Starred) else code
    else:
        number = call("min", *codes)
    *others, last = (text for _, text in numbers)
    message = f"{', '.join(others)} and {last}" if others else last
    ending = f" must be at least {_text(least)}"
    if len(message) + len(ending) > _LONGEST_MESSAGE:
        lengths = all(isinstance(code, Call) for code in codes)
        message = "all lengths" if lengths else "all sizes"
    return Compare("<", number, least), message + ending


def _declared(name: str, param: Param) -> Iterator[Demand]:
    """What a param says of its values itself."""
    place = name_code(name)
    if param.min is not None:
        yield (
            Compare("<", place, lit(param.min)),
            f"{name} must be at least {param.min}",
        )
    if param.max is not None:
        yield Compare(">", place, lit(param.max)), f"{name} must be at most {param.max}"
    if param.choices is not None:
        test = Compare("not in", place, value_code(tuple(param.choices)))
        yield test, f"{name} must be one of {listed(map(shown, param.choices))}"


def _is_bounded(param: Param) -> bool:
    return param.min is not None and param.min >= 1


def _is_positive(plan: ClassPlan, name: str) -> bool:
    """Whether the compiled value is at least 1, or a list that is not empty: -1 may stand for another size."""
    value = plan.first.params[name]
    if isinstance(value, tuple):
        return bool(value)
    return isinstance(value, int) and value >= 1


def _least(plan: ClassPlan, name: str) -> tuple[Expr, str]:
    """The number that is at least 1, and how a message names it: the length of a list."""
    if isinstance(plan.first.params[name], tuple):
        return call("len", name_code(name)), f"len({name})"
    return name_code(name), name
