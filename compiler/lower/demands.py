"""What the constructor of a network demands of its arguments: for other values the spec does not compile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import (
    Callable,
    Collection,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import replace
from math import inf
from typing import Any

from compiler.codegen.python import (
    Binary,
    Call,
    Compare,
    Expr,
    Literal,
    Logic,
    Name,
    Placeholder,
    Slice,
    Starred,
    Subscript,
    Unary,
    call,
    lit,
)
from compiler.codegen.traversal import placeholders, walk
from compiler.dataclass import dataclass
from compiler.diagnostics.text import listed
from compiler.infer.param_values import shown
from compiler.ir.module import ScopeName
from compiler.ir.typed import Instance
from compiler.language.params import Param
from compiler.lower.class_ir import Demand
from compiler.lower.class_plan import ClassPlan
from compiler.lower.code_bounds import apart, bounds_of, code_of, size_of
from compiler.lower.constructors import Signature, is_computed
from compiler.lower.evaluate_code import Unknown, value_of
from compiler.lower.known_numbers import KnownNumbers
from compiler.lower.required_numbers import CopyIndex, Required
from compiler.lower.scope_code import name_code, value_code
from compiler.lower.simplify_required import (
    families,
    first_items,
    is_length,
    simplified,
    text_of,
    without_opposites,
)
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import Value
from compiler.symbolic.intervals import Interval
from compiler.symbolic.symbol_table import COUNTER

_LONGEST_TEST, _LONGEST_MESSAGE, _LONGEST_TEXT = 69, 56, 68
"""Characters of what is compared, of a message that fits in its line, and of one that has a line of its own."""

_FEW = 12
"""Of so many demands those are left out that others imply."""
_MANY = 8
"""So many demands under conditions are no longer made one by one."""


def late_params(defaults: Mapping[str, Any]) -> Collection[str]:
    """The params that are computed from others, where working one out may fail: arguments are refused before that."""
    computed = {name: code for name, code in defaults.items() if is_computed(code)}
    every = (part for code in computed.values() for part in walk(value_code(code)))
    return computed if any(map(_may_fail, every)) else ()


def _may_fail(part: object) -> bool:
    match part:
        case Binary("//" | "%" | "/", _, divisor):
            return not isinstance(divisor, Literal)
        case Subscript():
            return True
        case Call(Name(name)):
            return name in ("math.log", "math.sqrt")
    return False


def asks_for(test: Expr, params: Collection[str]) -> bool:
    """Whether a test asks for the value of one of some params, and not for whether it is given."""
    match test:
        case Logic("and", (Compare("is"), *rest)):
            return any(asks_for(one, params) for one in rest)
    names = (key.name for key in placeholders(test) if isinstance(key, ScopeName))
    return any(name in params for name in names)


@dataclass(frozen=True)
class RefusedZeros:
    """At which zeros, that were tried, a network is another one.

    Attributes:
        numbers: params that are none of 0, and lists that are not empty.
        items: lists none of whose items is 0.
    """

    numbers: Collection[str] = ()
    items: Collection[str] = ()


def bounds(
    plan: ClassPlan,
    taken: Signature,
    refused: RefusedZeros,
    required: Iterable[Required],
    demanded: Sequence[Expr],
    uses: Sequence[Instance],
) -> Iterator[Demand]:
    """The bounds of the arguments of a class: those declared, those that are at least 1, then what they do not prove.

    `taken` are the params that it takes; `refused` is where these are not 0. `demanded` are tests that it demands
    already; at `uses` it compiles: what they do not have is not demanded.
    """
    found = _Demands(plan, taken, refused.numbers, demanded)
    places = {name: place for place, name in enumerate(plan.scope.params)}
    asked = [
        _whether_or_not_used(one, uses)
        for one in required
        if found.takes(one) and not any(_is_refuted(one, use) for use in uses)
    ]
    asked = list(_under_fewest(asked))
    asked = [x for one in asked for x in simplified(one, found.fixed, found.known)]

    def plain(required: Iterable[Required]) -> list[Required]:
        """What is required, as far as what is known so far simplifies it."""
        found_ = (x for one in required for x in simplified(one, {}, found.known))
        always = (_whether_or_not_used(one, uses) for one in found_)
        return [x for one in always for x in simplified(one, {}, found.known)]

    simple = list(_merged(plain(without_opposites(asked))))
    counted = [
        (name, _counted(name_code(name), simple))
        for name in found.params
        if name in refused.items
    ]
    found.refuse_zeros(counted)
    added: list[Required] = []
    ordered = sorted(simple, key=lambda one: _order(one, places))
    for one in _joined_multiples(ordered):
        for part in plain([found.without_certain(one)]):
            if not found.known.is_proven(part):
                found.add(part)
                added.append(part)

    def anew() -> _Demands:
        without = _Demands(plan, taken, refused.numbers, demanded)
        without.refuse_zeros(counted)
        return without

    implied = list(_implied(added, anew))
    if implied:
        found = anew()
        for one in added:
            if one not in implied:
                found.add(one)
    yield from found.all()


def _under_fewest(required: Sequence[Required]) -> Iterator[Required]:
    """What is required, without what is required whatever the conditions, too."""
    found = {replace(one, counts=()): {*one.counts} for one in required}
    for one in required:
        always = _whatever_holds(one) if one.conditions else one
        known = found.get(replace(always, counts=()))
        if always is one or known is None or not known <= {*always.counts}:
            yield one


def _whatever_holds(one: Required) -> Required:
    """The same without its conditions, of as many copies as it then depends on."""
    found = replace(one, conditions=(), copies=())
    indices: dict[Hashable, Expr] = {}
    for copies in reversed(one.copies):  # the inner ones first
        if any(copies.index in placeholders(x) for x in (one.code, one.least)):
            index = CopyIndex(len(found.copies))
            indices[copies.index] = Placeholder(index)
            found = replace(found, copies=(replace(copies, index=index), *found.copies))
        else:
            exists = Compare(">", copies.count, lit(copies.first))
            found = replace(found, counts=(*found.counts, exists))
    return found.mapped(indices)


def _implied(
    required: Sequence[Required], begin: Callable[[], _Demands]
) -> Iterator[Required]:
    """What is required of formulas, and of one name beside others, though what comes later implies it."""
    if len(required) > _FEW:
        return
    left = list(required)
    for one in required:
        plain = isinstance(one.code, Placeholder) and isinstance(one.least, Literal)
        if (
            plain
            or one.relation != "least"
            or not one.is_certain
            or not isinstance(one.code, Placeholder | Binary)
        ):
            continue
        known = begin().known
        for other in left:
            if other is not one:
                known.learn(other)
        if known.is_proven(one):
            left.remove(one)
            yield one


def _is_refuted(one: Required, use: Instance) -> bool:
    """Whether a network that compiles does not have what is required, or has something else than a number there."""
    if one.default in use.given:
        return False
    try:
        return bool(value_of(one.test, use))
    except (Unknown, TypeError):
        return True


def _whether_or_not_used(one: Required, uses: Sequence[Instance]) -> Required:
    """That an argument is a size whether or not there are copies that have it, unless it is none where it compiles."""
    if one.relation != "least" or one.least not in (lit(0), lit(1)):
        return one
    if not _is_plain(one.code):
        return one
    always = replace(one, counts=())
    return one if any(_is_refuted(always, use) for use in uses) else always


def _unused(plan: ClassPlan, taken: Signature) -> Mapping[str, Value]:
    """The params that no layer of a network needs, so that it has them by the values that it was compiled with."""
    if plan.scope.kind != "network":
        return {}
    return {
        name: plan.first.params[name]
        for name, param in plan.scope.params.items()
        if name not in taken.all and not is_computed(param.default)
    }


def _may_be_zero(divisor: Expr) -> bool:
    """Whether a number may be 0 though all arguments are sizes: it is divided by after what is demanded of them."""
    return any(
        isinstance(part, Binary) and part.op in ("//", "-", "%")
        for part in walk(divisor)
    )


def _counted(items: Expr, required: Iterable[Required]) -> Starred:
    """The items of a list of numbers of copies that are read: all, if there is no saying which."""
    for one in required:
        match one:
            case Required(Starred(Subscript(whole, (Slice(None),))) as read) if (
                whole == items and one.is_certain
            ):
                return read
    return Starred(items)


def _merged(required: Sequence[Required]) -> Iterator[Required]:
    """What is required, without what more of the same implies.

    Of each number that is always to be at least others the largest of these is left. Of the items of a list with the
    same least, some are the first ones.
    """
    largest: dict[Expr, int] = {}
    first: dict[tuple[Expr, Expr], set[int]] = {}
    for one in required:
        match one:
            case Required(code, Literal(int(least))) if (
                one.is_certain and one.relation == "least"
            ):
                largest[code] = max(least, largest.get(code, least))
                match code:
                    case Subscript(items, (Literal(int(place)),)) if place >= 0:
                        first.setdefault((items, one.least), set()).add(place)
    weaker = set(_weaker(required))
    runs = {
        key: len(places)
        for key, places in first.items()
        if len(places) > 1 and places == set(range(len(places)))
    }
    for (items, number), count in runs.items():
        yield Required(first_items(items, lit(count)), number)
    for one in required:
        match one:
            case Required(code, Literal(int(least))) if (
                one.is_certain and one.relation == "least"
            ):
                within = isinstance(code, Subscript) and (code.value, one.least) in runs
                if least < largest[code] or within:
                    continue
        if one not in weaker:
            yield one


def _joined_multiples(required: Iterable[Required]) -> list[Required]:
    """What is required, with one number for `x % 2` and `x // 2 % 2`, which is `x % 4`."""
    found: list[Required] = []
    for one in required:
        for place, other in enumerate(found):
            if (
                one.relation == other.relation == "multiple"
                and one.is_certain
                and other.is_certain
                and size_of(one.code) == size_of(other.code) // size_of(other.least)
            ):
                least = code_of(size_of(other.least) * size_of(one.least))
                found[place] = replace(other, least=least)
                break
        else:
            found.append(one)
    return found


def _weaker(required: Iterable[Required]) -> Iterator[Required]:
    """What is required of the lengths of lists, where more is required of the same ones."""
    alike: dict[tuple[Required, Dim], list[tuple[int, Required]]] = defaultdict(list)
    for one in required:
        if is_length(one.code):
            rest, number = apart(one.least)
            alike[replace(one, least=lit(0)), rest].append((number, one))
    for several in alike.values():
        most = max(number for number, _ in several)
        yield from (one for number, one in several if number < most)


def _order(
    one: Required, params: Mapping[str, int]
) -> tuple[bool, bool, bool, int, int]:
    """Names first, then short formulas, which prove longer ones; of equal ones, as their params are declared."""
    plain = isinstance(one.code, Placeholder) and one.relation == "least"
    names = [key.name for key in placeholders(one.code) if isinstance(key, ScopeName)]
    places = [params[name] for name in names if name in params]
    length = sum(len(list(walk(code))) for code in one.codes)
    multiple = one.relation == "multiple"
    return (
        not one.is_certain,
        not plain,
        not multiple,
        length,
        min(places, default=0),
    )


class _Demands:
    """What is demanded of the arguments of a class, and what is known of those for which it holds."""

    def __init__(
        self,
        plan: ClassPlan,
        taken: Signature,
        positive: Collection[str],
        demanded: Sequence[Expr],
    ) -> None:
        self.plan, self.taken = plan, taken.all
        self.late = late_params(taken.defaults)
        self.fixed = {**_unused(plan, taken), **plan.fixed}
        params = plan.scope.params.items() if plan.scope.kind == "network" else ()
        self.params = {name: param for name, param in params if name in self.taken}
        self.numbers: list[tuple[Expr, str]] = []
        """The numbers that are at least 1, and how a message names them."""
        self.items: dict[Expr, list[tuple[Expr, str]]] = {}
        """The items of lists, by the least that they are."""
        self.lengths: dict[Expr, list[tuple[Expr, str]]] = {}
        """How long lists are, by the least that they are: before items of them are asked for."""
        self.multiples: list[Required] = []
        self.equal: list[Demand] = []
        self.formulas: dict[Expr, list[tuple[Expr, str]]] = {}
        """Those that are worked out, by the least that they are: after the numbers that they are divided by."""
        self.counts: dict[Expr, list[tuple[Expr, str]]] = {}
        """Names that are at least others than 1, such as numbers of copies, by these."""
        self.others: list[Required] = []
        self.early: list[Demand] = []
        """What formulas need to be worked out at all."""
        dims = {n for use in plan.uses for n in use.names} - plan.scope.params.keys()
        sizes = dict.fromkeys(map(name_code, dims - {COUNTER}), (1, inf))
        self.known = KnownNumbers({**sizes, **dict(self._declared())})
        for test in demanded:
            if isinstance(test, Compare) and test.op == "<":
                self.known.learn_always(test.left, test.right)
        for name, param in self.params.items():
            if self.known.at_least(name_code(name), lit(1)):
                continue
            if name in positive and not _is_bounded(param) and _is_positive(plan, name):
                self.numbers.append(_least(plan, name))
                self.known.learn_always(self.numbers[-1][0], lit(1))

    def refuse_zeros(self, lists: Iterable[tuple[str, Starred]]) -> None:
        """Demand of some items of lists that none is 0."""
        for name, items in lists:
            self.items.setdefault(lit(1), []).append((items, name))
            self.known.learn(Required(items, lit(1)))

    def _declared(self) -> Iterator[tuple[Expr, Interval]]:
        """The bounds that params have."""
        for name, param in self.params.items():
            low = -inf if param.min is None else param.min
            high = inf if param.max is None else param.max
            yield name_code(name), (low, high)

    def takes(self, one: Required) -> bool:
        """Whether its names are arguments, or fixed: of equal sizes one may be of a param that no layer needs."""
        asked = {
            key.name
            for code in one.codes
            for key in placeholders(code)
            if isinstance(key, ScopeName)
        }
        fixed = (self.fixed if one.relation == "equal" else self.plan.fixed).keys()
        return asked <= {*self.taken, *fixed} and bool(asked - fixed)

    def without_certain(self, one: Required) -> Required:
        """The same without tests of numbers of copies that always hold."""
        left = tuple(test for test in one.counts if not self._is_certain(test))
        return replace(one, counts=left)

    def add(self, one: Required) -> None:
        """Demand it."""
        self.known.learn(one)
        demand = self._demand(one)
        if one.default:
            missing = Compare("is", name_code(one.default), lit(None))
            self.early.append((Logic("and", (missing, demand[0])), demand[1]))
        elif not one.is_certain:
            place = 0 if is_length(one.code) else len(self.others)
            self.others.insert(place, one)
        elif one.relation == "multiple":
            self.multiples.append(one)
        elif one.relation == "equal":
            self.equal.append(demand)
        elif one.relation == "not":
            self.early.append(demand)
        else:
            self._add_least(one)

    def _is_certain(self, test: Expr) -> bool:
        """Whether a test of a number of copies always holds."""
        return all(self.known.at_least(*pair) for pair in bounds_of(test))

    def _add_least(self, one: Required) -> None:
        number = one.code, text_of(one.code)
        match one.code:
            case Starred(items):
                name = items.value if isinstance(items, Subscript) else items
                self.items.setdefault(one.least, []).append((one.code, text_of(name)))
            case Unary("-", _):
                self.others.append(one)
            case code if is_length(code):
                self.lengths.setdefault(one.least, []).append(number)
            case Placeholder() | Subscript() if one.least == lit(1):
                self.numbers.append(number)
            case Placeholder():
                self.counts.setdefault(one.least, []).append(number)
            case _:
                self.formulas.setdefault(one.least, []).append(number)

    def _demand(self, one: Required) -> Demand:
        message = self._message(one)
        if len(message) > _LONGEST_TEXT:
            message = _together([one])
        return self._test(one), message

    def _test(self, one: Required) -> Expr:
        match one:
            case Required(Unary("-", code), Literal(int(least)), relation="least"):
                return one.test_of(Compare(">", code, lit(-least)))
            case Required(Starred() as star) if not self.known.may_be_empty(star):
                return one.test_of(Compare("<", call("min", star.value), one.least))
        return one.test

    def _message(self, one: Required) -> str:
        code, least = text_of(one.code), text_of(one.least)
        if one.relation == "multiple":
            return f"{code} must be a multiple of {least}"
        if one.relation == "equal":
            return f"{code} and {least} must be equal"
        if one.relation == "not":
            return f"{code} must not be {least}"
        match one:
            case Required(Unary("-", code_), Literal(int(number))):
                return f"{text_of(code_)} must be at most {-number}"
            case Required(Starred(items)):
                name = items.value if isinstance(items, Subscript) else items
                code = text_of(name)
        return f"{code} must be at least {least}"

    def all(self) -> Iterator[Demand]:
        """All demands in their order."""
        for name, param in self.params.items():
            yield from _declared(name, param)
        yield from self._lengths()
        yield from self.early
        stars = self.items.pop(lit(1), [])
        certain = [one for one in self.numbers if not is_length(one[0])]
        certain += [one for one in stars if not self._may_be_empty(one)]
        others = [one for one in stars if one not in certain]
        if len(certain) > 1:
            certain, others = [*certain, *others], []
        yield from self._at_least(certain, lit(1))
        for least, items in {lit(1): others, **self.items}.items():
            empty = [one for one in items if self._may_be_empty(one)]
            yield from self._at_least([x for x in items if x not in empty], least)
            for code, text in empty:
                one = Required(code, least)
                yield self._test(one), f"{text} must be at least {text_of(least)}"
        late = [one for one in self.multiples if _may_be_zero(one.least)]
        yield from (self._demand(one) for one in self.multiples if one not in late)
        for least, formulas in self.formulas.items():
            yield from self._at_least(formulas, least)
        for least, counts in self.counts.items():
            yield from self._at_least(counts, least)
        yield from self.equal
        yield from self._of_others()
        yield from map(self._demand, late)

    def _of_others(self) -> Iterator[Demand]:
        """What is demanded under conditions; much of one sort in one test, so that the constructor stays simple."""
        others = list(families(self.others))
        others.sort(
            key=lambda one: one.relation == "multiple" and _may_be_zero(one.least)
        )
        if len(others) < _MANY:
            yield from map(self._demand, others)
            return
        sorts: dict[tuple[str, Expr | None], list[Required]] = {}
        few = len({(one.relation, _whose(one.least)) for one in others}) < _MANY
        for one in others:
            sort = one.relation, _whose(one.least) if few else None
            sorts.setdefault(sort, []).append(one)
        for found in sorts.values():
            if len(found) == 1:
                yield self._demand(found[0])
            else:
                tests = tuple(self._test(one) for one in found)
                yield Logic("or", tests), _together(found)

    def _may_be_empty(self, number: tuple[Expr, str]) -> bool:
        items, _ = number
        return isinstance(items, Starred) and self.known.may_be_empty(items)

    def _at_least(
        self, numbers: Sequence[tuple[Expr, str]], least: Expr
    ) -> Iterator[Demand]:
        """That numbers are at least another, those apart that are computed from others."""
        late = [one for one in numbers if asks_for(one[0], self.late)]
        yield from _at_least([one for one in numbers if one not in late], least)
        yield from _at_least(late, least)

    def _lengths(self) -> Iterator[Demand]:
        """How long lists are: those that are not empty, before their items are compared with other numbers."""
        longer = {
            code
            for least, numbers in self.lengths.items()
            for code, _ in numbers
            if self.known.at_least(least, lit(1))
        }
        known = [
            one for one in self.numbers if is_length(one[0]) and one[0] not in longer
        ]
        yield from self._at_least(known, lit(1))
        fixed = [least for least in self.lengths if isinstance(least, Literal)]
        for least in sorted(self.lengths, key=lambda one: one not in fixed):
            yield from self._at_least(self.lengths[least], least)


def _whose(code: Expr) -> Expr:
    """The list that a number is an item of, or the number."""
    return code.value if isinstance(code, Subscript) else code


def _together(required: Iterable[Required]) -> str:
    """That the arguments do not go together of which something is required."""
    codes = (code for one in required for code in one.codes)
    keys = (key for code in codes for key in placeholders(code))
    names = {key.name: None for key in keys if isinstance(key, ScopeName)}
    return f"{listed([*names])} do not go together"


def _is_plain(code: Expr) -> bool:
    """Whether it is an argument, or an item of one: these are sizes whether or not there is a layer that has them."""
    match code:
        case Starred() | Placeholder(ScopeName()):
            return True
        case Subscript(Placeholder(ScopeName()), (index,)):
            return not isinstance(index, Slice)
    return False


def _at_least(numbers: Iterable[tuple[Expr, str]], least: Expr) -> Iterator[Demand]:
    """That numbers are at least another: as many in a line as it has the place for."""
    line: list[tuple[Expr, str]] = []
    for number in numbers:
        columns = sum(map(_columns, [*line, number])) + len(text_of(least)) - 1
        if line and columns > _LONGEST_TEST:
            yield _in_one_line(line, least)
            line = []
        line.append(number)
    if line:
        yield _in_one_line(line, least)


def _columns(number: tuple[Expr, str]) -> int:
    """The columns of a number and a comma."""
    code, _ = number
    return len(text_of(code)) + 2


def _in_one_line(numbers: list[tuple[Expr, str]], least: Expr) -> Demand:
    """That several numbers are at least another; the message names them if it has the place."""
    codes = [code for code, _ in numbers]
    if len(codes) == 1:
        (code,) = codes
        number = call("min", code.value) if isinstance(code, Starred) else code
    else:
        number = call("min", *codes)
    *others, last = dict.fromkeys(text for _, text in numbers)
    message = f"{', '.join(others)} and {last}" if others else last
    ending = f" must be at least {text_of(least)}"
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
