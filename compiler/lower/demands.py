"""What the constructor of a network demands of its arguments: for other values the spec does not compile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from compiler.codegen.python import (
    Binary,
    Call,
    Compare,
    Expr,
    Literal,
    Placeholder,
    Slice,
    Starred,
    Subscript,
    lit,
)
from compiler.codegen.traversal import placeholders, walk
from compiler.dataclass import dataclass
from compiler.ir.module import ScopeName
from compiler.ir.typed import Instance
from compiler.lower.class_ir import Demand
from compiler.lower.class_plan import ClassPlan
from compiler.lower.constructors import Signature
from compiler.lower.evaluate_code import Unknown, value_of
from compiler.lower.known_numbers import KnownNumbers
from compiler.lower.merge_required import joined_multiples, merged, under_fewest
from compiler.lower.ordered_demands import Demands
from compiler.lower.required import FLOATS, Required
from compiler.lower.scope_code import name_code
from compiler.lower.simplify_required import simplified, without_opposites

_FEW = 12
"""Of so many demands those are left out that others imply."""


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
    required = list(required)
    copies = {name for one in required for name in _numbers_of_copies(one)}
    begin = partial(Demands, plan, taken, refused.numbers, demanded, copies)
    found = begin()
    places = {name: place for place, name in enumerate(plan.scope.params)}
    asked = [
        _whether_or_not_used(one, uses)
        for each in map(found.without_untaken, required)
        if found.takes(each)
        for one in _not_refuted(each, uses)
    ]
    asked = list(under_fewest(asked))
    asked = [x for one in asked for x in simplified(one, found.fixed, found.known)]

    def plain(required: Iterable[Required]) -> list[Required]:
        """What is required, as far as what is known so far simplifies it."""
        found_ = (x for one in required for x in simplified(one, {}, found.known))
        whole = (_of_whole_number(one, plan) for one in found_)
        always = (_whether_or_not_used(one, uses) for one in whole)
        return [x for one in always for x in simplified(one, {}, found.known)]

    simple = list(merged(plain(without_opposites(asked))))
    counted = [
        (name, _counted(name_code(name), simple))
        for name in found.params
        if name in refused.items
    ]
    found.refuse_zeros(counted)
    added: list[Required] = []
    ordered = sorted(simple, key=lambda one: _order(one, places))
    for one in joined_multiples(ordered):
        for part in map(found.without_certain, plain([found.without_certain(one)])):
            if part.is_refused:
                found.known.learn(part)
            elif not found.known.is_proven(part):
                found.add(part)
                added.append(part)

    def anew() -> Demands:
        without = begin()
        without.refuse_zeros(counted)
        return without

    implied = [*_implied(added, anew), *_anyway(added, anew().known)]
    if implied:
        found = anew()
        for one in added:
            if one not in implied:
                found.add(one)
    yield from found.all()


def _anyway(required: Sequence[Required], known: KnownNumbers) -> Iterator[Required]:
    """What is required under a condition, though what is required of all arguments implies it."""
    for one in required:
        if one.is_certain:
            known.learn(one)
    for one in required:
        if not one.is_certain and not one.default and known.is_proven(one):
            yield one


def _implied(
    required: Sequence[Required], begin: Callable[[], Demands]
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


def _not_refuted(one: Required, uses: Sequence[Instance]) -> Iterator[Required]:
    """What is required, unless a network that compiles does not have it; of sizes that broadcast of those above 1."""
    plain = replace(one, broadcasts=False)
    if one.of_init or not any(_is_refuted(plain, use) for use in uses):
        yield plain
    elif one.broadcasts:
        above = (Compare("!=", size, lit(1)) for size in (one.code, one.least))
        above_one = replace(plain, conditions=(*one.conditions, *above))
        yield from _not_refuted(above_one, uses)


def _of_whole_number(one: Required, plan: ClassPlan) -> Required:
    """What is required of a float as of a size, where it is a sum or a product of integers: `n - 1` above 0."""
    if one.relation not in ("from 0", "above 0"):
        return one
    params = plan.scope.params
    for part in walk(one.code):
        match part:
            case Placeholder(ScopeName(name)) if name in params:
                if params[name].kind not in ("int", "int[]"):
                    return one
            case Binary("/" | "**") | Call() | Literal(float()):
                return one
    least = lit(1) if one.relation == "above 0" else lit(0)
    return replace(one, relation="least", least=least)


def _whether_or_not_used(one: Required, uses: Sequence[Instance]) -> Required:
    """That an argument is a size, or in its range, whether or not there are copies that have it.

    Unless it is none where it compiles.
    """
    is_size = one.relation == "least" and one.least in (lit(0), lit(1))
    if not is_size and one.relation not in FLOATS:
        return one
    if not _is_plain(one.code):
        return one
    always = replace(one, counts=())
    return one if any(_is_refuted(always, use) for use in uses) else always


def _numbers_of_copies(one: Required) -> Iterator[str]:
    """The names of the numbers of copies of which something is required, and of lists of these."""
    for code in (
        *(x.count for x in one.copies),
        *(x.left for x in one.counts if isinstance(x, Compare)),
    ):
        match code:
            case Placeholder(ScopeName(name)) | Subscript(Placeholder(ScopeName(name))):
                yield name


def _is_plain(code: Expr) -> bool:
    """Whether it is an argument, or an item of one: these are sizes whether or not there is a layer that has them."""
    match code:
        case Starred() | Placeholder(ScopeName()):
            return True
        case Subscript(Placeholder(ScopeName()), (index,)):
            return not isinstance(index, Slice)
    return False


def _counted(items: Expr, required: Iterable[Required]) -> Starred:
    """The items of a list of numbers of copies that are read: all, if there is no saying which."""
    for one in required:
        match one:
            case Required(Starred(Subscript(whole, (Slice(None),))) as read) if (
                whole == items and one.is_certain
            ):
                return read
    return Starred(items)


def _order(
    one: Required, params: Mapping[str, int]
) -> tuple[bool, bool, bool, bool, bool, int, int]:
    """What layers refuse themselves comes first, then names, then short formulas, which prove longer ones.

    Of equal ones, as their params are declared.
    """
    plain = isinstance(one.code, Placeholder) and one.relation == "least"
    names = [key.name for key in placeholders(one.code) if isinstance(key, ScopeName)]
    places = [params[name] for name in names if name in params]
    length = sum(len(list(walk(code))) for code in one.codes)
    multiple = one.relation == "multiple"
    return (
        not one.is_refused,
        not one.is_certain,
        not plain,
        not multiple,
        one.relation == "not",
        length,
        min(places, default=0),
    )
