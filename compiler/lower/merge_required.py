"""What is required, without what more of the same implies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace

from compiler.codegen.python import Compare, Expr, Literal, Placeholder, Subscript, lit
from compiler.codegen.traversal import placeholders
from compiler.lower.code_bounds import apart, code_of, size_of
from compiler.lower.required import CopyIndex, Required
from compiler.lower.simplify_required import first_items, is_length
from compiler.symbolic.dims import Dim


def under_fewest(required: Sequence[Required]) -> Iterator[Required]:
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


def merged(required: Sequence[Required]) -> Iterator[Required]:
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


def joined_multiples(required: Iterable[Required]) -> list[Required]:
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
