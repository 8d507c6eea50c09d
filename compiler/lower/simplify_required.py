"""What is required of numbers as a person would write it: `n < 3`, not `n - 2 < 1`, and of as few copies as do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from math import ceil, gcd

from compiler.codegen.expression_layout import flat
from compiler.codegen.python import (
    Binary,
    Call,
    Compare,
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
from compiler.codegen.traversal import filled, mapped, placeholders, walk
from compiler.ir.module import ScopeName
from compiler.lower.code_bounds import (
    Bounds,
    code_of,
    constant_and_terms,
    difference,
    is_always_zero,
    size_of,
)
from compiler.lower.evaluate_code import folded_numbers, with_values
from compiler.lower.known_numbers import KnownNumbers, factors_of
from compiler.lower.required import FLOATS, Copies, CopyIndex, Required, negated
from compiler.symbolic.dims import (
    Atom,
    Dim,
    FloorDivision,
    as_multiple,
    exact_div,
    polynomial,
    two_sides,
)
from compiler.symbolic.evaluate import Value
from compiler.symbolic.symbols import Symbol
from compiler.symbolic.terms import shared

_FEW = 8
"""Copies of a fixed number, and outcomes of conditions, that are looked into one by one."""


def simplified(
    one: Required, fixed: Mapping[str, Value], known: KnownNumbers
) -> Iterator[Required]:
    """What is required, with numbers for the names that are fixed: of the first or the last copy, where that is enough.

    Nothing where it is required of no copy, or under conditions that never hold.
    """
    waiting = [*_of_items(one.each(lambda code: with_values(code, fixed)))]
    steps = 0
    while waiting:
        first = _without_tests(waiting.pop())
        if first is None:
            continue
        parts = list(_parts(first)) if steps < _FEW * _FEW else []
        if parts:
            waiting += reversed(parts)
            steps += len(parts)
        else:
            yield _of_few_copies(solved(first, known), known)


def is_length(code: Expr) -> bool:
    """Whether it is the length of a list."""
    return isinstance(code, Call) and code.func == Name("len")


def text_of(code: Expr) -> str:
    """Code in the names of the spec."""

    def name(key: object) -> Expr:
        if isinstance(key, ScopeName | CopyIndex):
            return Name(key.name)
        return Placeholder(key)

    return flat(filled(code, name))


def first_items(items: Expr, count: Expr) -> Starred:
    """So many items of a list, from the first on."""
    if count == call("len", items):
        return Starred(items)
    return Starred(Subscript(items, (Slice(None, count),)))


def without_opposites(required: Iterable[Required]) -> list[Required]:
    """What is required under a condition as well as where it does not hold is required without it."""
    found = dict.fromkeys(required)
    waiting = list(found)
    while waiting:
        one = waiting.pop()
        for place, condition in enumerate(one.conditions):
            rest = one.conditions[:place], one.conditions[place + 1 :]
            other = replace(one, conditions=(*rest[0], negated(condition), *rest[1]))
            if one in found and other in found:
                joined = _without_unused(replace(one, conditions=(*rest[0], *rest[1])))
                del found[one], found[other]
                if joined not in found:
                    found[joined] = None
                    waiting.append(joined)
                break
    return list(found)


def families(required: Sequence[Required]) -> Iterator[Required]:
    """What is required of the first items of lists one by one, as what is required of each of them."""
    index = CopyIndex(0)
    found: dict[Required, dict[int, Required]] = {}
    for one in required:
        places = {x for code in one.codes for x in _places(code)}
        if len(places) == 1 and not one.copies:
            (place,) = places
            template = one.each(lambda code: _at_place(code, Placeholder(index)))
            found.setdefault(template, {})[place] = one
    known: dict[Required, Required | None] = {}
    for template, ones in found.items():
        if len(ones) > 1 and ones.keys() == set(range(len(ones))):
            copies = Copies(index, lit(len(ones)))
            known |= dict.fromkeys(ones.values())
            known[next(iter(ones.values()))] = replace(template, copies=(copies,))
    for one in required:
        each = known.get(one, one)
        if each is not None:
            yield each


def _places(code: Expr) -> Iterator[int]:
    """The numbers of the items of lists that code reads."""
    for part in walk(code):
        match part:
            case Subscript(_, (Literal(int(place)),)):
                yield place


def _at_place(code: Expr, place: Expr) -> Expr:
    """Code that reads items at another place."""
    match code:
        case Subscript(items, (Literal(int()),)):
            return Subscript(items, (place,))
    return mapped(code, lambda part: _at_place(part, place))


def _without_unused(one: Required) -> Required:
    """What is required of copies that it does not depend on is required where there are some."""
    counts, copies = list(one.counts), []
    for each in one.copies:
        if any(each.index in placeholders(code) for code in one.codes):
            copies.append(each)
        else:
            counts.append(_more_than(each))
    return replace(one, copies=tuple(copies), counts=tuple(counts))


def _without_tests(one: Required) -> Required | None:
    """The same without conditions that always hold; None where one never does."""
    conditions, counts = (
        [*dict.fromkeys(test for test in map(_plain_test, tests) if test != lit(True))]
        for tests in (_each_decided(one.conditions), one.counts)
    )
    if lit(False) in (*conditions, *counts):
        return None
    return replace(one, conditions=tuple(conditions), counts=tuple(counts))


def _each_decided(tests: Sequence[Expr]) -> list[Expr]:
    """The parts of tests that hold together; of `a or b`, where `not a` is one of them, `b` alone."""
    parts = [
        part
        for test in tests
        for part in (
            test.items if isinstance(test, Logic) and test.op == "and" else (test,)
        )
    ]
    found: list[Expr] = []
    for part in parts:
        if isinstance(part, Logic) and part.op == "or":
            left = tuple(one for one in part.items if negated(one) not in parts)
            part = Logic("or", left) if len(left) > 1 else next(iter(left), lit(False))
        found.append(part)
    return found


_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}


def _plain_test(test: Expr) -> Expr:
    """A test without `not`, where there is a comparison for it, and with the number of a comparison last."""
    match test:
        case Unary("not", operand):
            found = negated(operand)
            return test if found == test else _plain_test(found)
        case Compare(op, Literal() as left, right) if op in _TURNED:
            return Compare(_TURNED[op], right, left)
    return test


# Outcomes of conditions, and copies of a fixed number, one by one.


def _of_items(one: Required) -> Iterator[Required]:
    """What is required of each item of a list that stands in code."""
    match one.code:
        case Starred(TupleExpr(items)):
            yield from (replace(one, code=item) for item in items)
        case _:
            yield one


def _parts(one: Required) -> Iterator[Required]:
    """What is required for each outcome of a condition in a number, or for each of a few copies."""
    inner = one.copies[-1] if one.copies else None
    if inner is not None and isinstance(inner.count, Literal):
        number = inner.count.value
        if isinstance(number, int) and number - inner.first <= _FEW:
            rest = replace(one, copies=one.copies[:-1])
            for copy in range(inner.first, number):
                at = rest.mapped({inner.index: lit(copy)})
                yield at.each(folded_numbers)
            if number <= inner.first:
                yield replace(rest, conditions=(lit(False),))
            return
    for code in (one.code, one.least):
        choice = next((x for x in walk(code) if isinstance(x, Conditional)), None)
        if choice is not None:
            yield _decided(one, choice, choice.test, choice.body)
            yield _decided(one, choice, negated(choice.test), choice.orelse)
            return
    if inner is None:
        return
    for condition in one.conditions:
        first = _first_copy(condition, inner.index)
        if first is None:
            continue
        rest = replace(
            one, conditions=tuple(x for x in one.conditions if x != condition)
        )
        if first > 0:
            later = replace(inner, first=max(first, inner.first))
            yield replace(rest, copies=(*one.copies[:-1], later))
        elif inner.first == 0:
            exists = Compare(">", inner.count, lit(0))
            at = replace(
                rest, copies=one.copies[:-1], counts=(*one.counts, exists)
            ).mapped({inner.index: lit(0)})
            yield at.each(folded_numbers)
        else:
            yield replace(rest, conditions=(lit(False),))
        return


def _decided(one: Required, choice: Expr, test: Expr, branch: Expr) -> Required:
    """What is required where a number that depends on a condition is one of two."""

    def put(code: Expr) -> Expr:
        return branch if code == choice else mapped(code, put)

    code, least = put(one.code), put(one.least)
    return replace(one, code=code, least=least, conditions=(*one.conditions, test))


def _first_copy(condition: Expr, index: CopyIndex) -> int | None:
    """The first copy for which a condition holds, of one that holds from there on; 0 if for the first copy alone.

    None where it is something else.
    """
    place = Placeholder(index)
    match condition:
        case Compare("==", left, Literal(0)) if left == place:
            return 0
        case Compare("!=", left, Literal(0)) if left == place:
            return 1
        case Compare(">", left, Literal(int(number))) if left == place and number >= 0:
            return number + 1
        case Compare(">=", left, Literal(int(number))) if left == place and number > 0:
            return number
    return None


# Copies of which the first or the last is enough.


def _of_few_copies(one: Required, known: KnownNumbers) -> Required:
    """What is required of the first or the last copy alone, of a list, or where there are copies."""
    while one.copies:
        inner = one.copies[-1]
        tests = (*one.conditions, *one.counts, *(x.count for x in one.copies))
        if any(inner.index in placeholders(code) for code in tests):
            return one
        found = _of_one_copy(replace(one, copies=one.copies[:-1]), inner, known)
        if found is None:
            return one
        one = solved(found, known)
    return one


def _of_one_copy(one: Required, copies: Copies, known: KnownNumbers) -> Required | None:
    """What is required of one of some copies, or of a list, if that is the same; None where it is not."""
    index = copies.index
    exists = replace(one, counts=(*one.counts, _more_than(copies)))
    if not any(index in placeholders(code) for code in (one.code, one.least)):
        return exists
    if one.relation != "least":
        return None
    read = _items_read(one.code, copies)
    if read is not None and index not in placeholders(one.least):
        items, stop = read
        return None if one.copies else replace(one, code=first_items(items, stop))
    step = _step(difference(one.code, one.least), index)
    if step is None:
        return None
    last = code_of(size_of(copies.count) - 1)
    if step > 0:
        return exists.mapped({index: lit(copies.first)})
    before = one.mapped({index: lit(copies.first - 1)})
    implied = known.where(one).at_least(before.code, before.least)
    return (one if implied else exists).mapped({index: last})


def _more_than(copies: Copies) -> Expr:
    """That there are copies from the first one on."""
    return Compare(">", copies.count, lit(copies.first))


def _items_read(code: Expr, copies: Copies) -> tuple[Expr, Expr] | None:
    """The list of which the copies read the first items, one each, and how many these are."""
    match code:
        case Subscript(Placeholder(ScopeName()) as items, (place,)):
            if isinstance(place, Slice):
                return None
            index, count = size_of(Placeholder(copies.index)), size_of(copies.count)
            shift = (size_of(place) - index).constant
            if shift is not None and shift + copies.first == 0:
                return items, code_of(count + shift)
            if size_of(place) == count - 1 - index and not copies.first:
                return items, copies.count
    return None


def _step(size: Dim, index: CopyIndex) -> int | None:
    """By how much a sum grows from copy to copy; None where that is not the same each time."""
    (counter,) = size_of(Placeholder(index)).symbols
    step = None
    for monomial, factor in size.terms:
        if monomial == (counter,):
            step = factor
        elif any(index in placeholders(code_of(_size(x))) for x in monomial):
            return None
    return step


# One number on one side.


def solved(one: Required, known: KnownNumbers) -> Required:
    """The same with what is asked for on one side, where that is shorter."""
    if isinstance(one.code, Starred):
        return one
    if one.relation == "multiple":
        return _solved_for_multiple(one)
    if one.relation == "equal":
        return _solved_for_equal(one, known.where(one))
    if one.relation == "not":
        return _solved_for_zero(one)
    if one.relation in FLOATS:
        return _signed(one, known.where(one))
    one = _without_sizes(one, known.where(one))
    size = _without_zeros(difference(one.code, one.least))
    size = _divided(size, known.where(one))
    constant, terms = constant_and_terms(size)
    if not terms:
        return one
    common = gcd(*(factor for _, factor in terms))
    above = below = Dim.of(0)
    for monomial, factor in terms:
        product = _product(monomial, abs(factor) // common)
        above, below = (
            (above + product, below) if factor > 0 else (above, below + product)
        )
    code, least = _sides(above, below, ceil(-constant / common))
    if is_length(one.code):
        code, least = one.code, code_of(size_of(one.code) - size)
    if (code, least) == (one.code, one.least):
        return one
    found = replace(one, code=code, least=least)
    return found if _length(found) < _length(one) else one


def _sides(above: Dim, below: Dim, least: int) -> tuple[Expr, Expr]:
    """What must be at least what, for one sum to be by so much at least another."""
    if below == 0:
        return code_of(above), lit(least)
    if above == 0:
        return Unary("-", code_of(below)), lit(least)
    if least == 0:
        return code_of(above), code_of(below)
    return code_of(above - below), lit(least)


def _solved_for_multiple(one: Required) -> Required:
    """The same without factors that both numbers have, none of which may be 0."""
    size, by = size_of(one.code), size_of(one.least)
    if len(by.terms) == 1:
        for atom in by.terms[0][0]:
            whole, divisor = exact_div(size, _size(atom)), exact_div(by, _size(atom))
            if whole is not None and divisor is not None:
                size, by = whole, divisor
    found = replace(one, code=code_of(size), least=code_of(by))
    return found if _length(found) < _length(one) else one


def _solved_for_equal(one: Required, known: Bounds) -> Required:
    """The same without factors that both numbers have; that `x` is `d * (x // d)` as that it is a multiple."""
    if isinstance(one.code, Literal):
        one = replace(one, code=one.least, least=one.code)
    size = difference(one.code, one.least)
    if not size.terms:
        return one
    whole = size
    for atom in reduce(shared, (monomial for monomial, _ in size.terms)):
        if _is_size(_size(atom), known):
            size //= _size(atom)
    found = as_multiple(size)
    if found is not None:
        number, divisor = map(code_of, found)
        return replace(one, code=number, least=divisor, relation="multiple")
    if size == whole:
        return one
    left, right = map(code_of, two_sides(size))
    return replace(one, code=left, least=right)


def _solved_for_zero(one: Required) -> Required:
    """`total`, which must not be 1, of `total - 1`, which must not be 0; `least` is what it must not be."""
    constant, terms = constant_and_terms(difference(one.code, one.least))
    if len(terms) == 1 and abs(terms[0][1]) == 1:
        (monomial, factor), *_ = terms
        return replace(
            one, code=code_of(_product(monomial, 1)), least=lit(-constant * factor)
        )
    if sorted(factor for _, factor in terms) == [-1, 1] and not constant:
        one_, other = (code_of(_product(monomial, 1)) for monomial, _ in terms)
        return replace(one, code=one_, least=other)
    return one


def _without_zeros(size: Dim) -> Dim:
    """A sum without terms of one name that are always 0 together: `n // 2 + (n + 1) // 2 - n`."""
    parts: dict[frozenset[Symbol], Dim] = {}
    for monomial, factor in size.terms:
        term = polynomial({monomial: factor})
        parts[term.symbols] = parts.get(term.symbols, Dim.of(0)) + term
    for part in parts.values():
        if len(part.terms) > 1 and is_always_zero(part):
            size -= part
    return size


def _divided(size: Dim, known: Bounds) -> Dim:
    """`x // d - m`, at least 0, as `x - m * d`; a product of sizes, at least 1, as the one that may be less."""
    while True:
        constant, terms = constant_and_terms(size)
        if len(terms) != 1:
            return size
        ((monomial, factor),) = terms
        least = ceil(-constant / abs(factor))
        if len(monomial) > 1 and factor > 0 and least == 1:
            small = [
                x for x in dict.fromkeys(monomial) if not _is_size(_size(x), known)
            ]
            if len(small) != 1:
                return size
            size = _size(small[0]) - 1
            continue
        atom = monomial[0]
        if not isinstance(atom, FloorDivision) or len(monomial) > 1:
            return size
        if not _is_size(atom.divisor, known):
            return size
        if factor > 0:
            size = atom.numerator - least * atom.divisor
        else:
            most = constant // -factor
            size = (most + 1) * atom.divisor - 1 - atom.numerator


def _signed(one: Required, known: Bounds) -> Required:
    """Of a product or a quotient that is above 0, or at least 0, the only part that may be negative."""
    while one.relation != "share":
        match one.code:
            case Binary("/" | "*", part, Literal(int() | float() as number)) if (
                number > 0
            ):
                one = replace(one, code=part)
            case Binary("/", part, divisor) if _may_divide(divisor, known):
                one = replace(one, code=part)
            case Binary("*", left, right) if known.is_positive(left):
                one = replace(one, code=right)
            case Binary("*", left, right) if known.is_positive(right):
                one = replace(one, code=left)
            case _:
                break
    return one


def _may_divide(code: Expr, known: Bounds) -> bool:
    """Whether a divisor is above 0: a root that is 0 is refused by itself."""
    match code:
        case Call(Name("math.sqrt")):
            return True
    return known.is_positive(code)


def _without_sizes(one: Required, known: Bounds) -> Required:
    """Of a product that is at least 1 the only factor that may be less."""
    factors = factors_of(one.code) if one.least == lit(1) else []
    small = [factor for factor in factors if not known.at_least(factor, lit(1))]
    return replace(one, code=small[0]) if len(small) == 1 < len(factors) else one


def _product(monomial: tuple[Atom, ...], factor: int) -> Dim:
    product = Dim.of(factor)
    for atom in monomial:
        product *= _size(atom)
    return product


def _size(atom: Atom) -> Dim:
    """An atom of a sum as a sum."""
    if isinstance(atom, Symbol):
        return Dim.symbol(atom)
    return atom.numerator // atom.divisor


def _is_size(size: Dim, known: Bounds) -> bool:
    return known.at_least(code_of(size), lit(1))


def _length(one: Required) -> int:
    """How long what is required reads."""
    return len(text_of(one.code)) + len(text_of(one.least))
