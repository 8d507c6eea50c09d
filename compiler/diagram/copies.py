"""In how many copies of a block something holds, and which: `in 13 of 26 (every 2nd)`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from compiler.diagram.views import ScopeView

_MAX_RUNS = 4096  # runs of equal copies that are looked at to find a pattern


def copies_label(view: ScopeView, cases: Collection[int]) -> str:
    """In how many copies of a scope something holds that holds in some of its cases; "" if it does in all."""
    count = sum(view.copies[case] for case in cases)
    total = sum(view.copies)
    if count == total:
        return ""
    which = _pattern(view, frozenset(cases))
    return f"in {count:,} of {total:,}{f' ({which})' if which else ''}"


def _pattern(view: ScopeView, cases: frozenset[int]) -> str:
    """Which copies of a repeat these are: the `first`, the `last`, `every 2nd`; "" if none of these."""
    found = ""
    for number, (spans, total) in enumerate(_repeats(view, cases)):
        pattern = name_of_pattern(spans, total)
        if not pattern or (number and pattern != found):
            return ""
        found = pattern
    return found


def _repeats(
    view: ScopeView, cases: frozenset[int]
) -> Iterator[tuple[list[range], int]]:
    """For each repeat that a view is the inside of: its copies of the given cases, and how many it has."""
    if view.parent is None:
        return
    seen = 0
    for case in range(len(view.parent.cases)):
        typed = view.parent.typed(case, view.name)
        if typed is None or not typed.calls:
            continue
        seen += len(typed.calls)
        if seen > _MAX_RUNS or typed.node.layer.repeat is None:
            yield [], 0
            return
        spans: list[range] = []
        start = 0
        for call in typed.calls:
            instance = call.instance
            if instance is not None and view.number(instance) in cases:
                joined = bool(spans) and spans[-1].stop == start
                first = spans.pop().start if joined else start
                spans.append(range(first, start + call.count))
            start += call.count
        yield spans, start


def name_of_pattern(spans: Sequence[range], total: int) -> str:
    """The name of a set of copies, given as ascending spans that do not touch; "" if it has none.

    >>> name_of_pattern([range(0, 1)], 3), name_of_pattern([range(1, 3)], 3)
    ('first', 'last')
    >>> name_of_pattern([range(1, 2), range(3, 4)], 4), name_of_pattern([range(1, 2)], 3)
    ('every 2nd', '2nd')
    """
    if not spans:
        return ""
    if len(spans) == 1:
        (span,) = spans
        if span.start == 0:
            return "first"
        if span.stop == total:
            return "last"
        return _ordinal(span.stop) if len(span) == 1 else ""
    step = spans[1].start - spans[0].start
    numbers = range(spans[0].start, total, step)
    if any(len(span) != 1 for span in spans) or len(spans) != len(numbers):
        return ""
    if [span.start for span in spans] != list(numbers):
        return ""
    if numbers.start == step - 1:
        return f"every {_ordinal(step)}"
    return "1st, 3rd, …" if (numbers.start, step) == (0, 2) else ""


def _ordinal(number: int) -> str:
    suffix = "th"
    if number % 100 not in (11, 12, 13):
        suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{suffix}"
