"""In how many copies of a block something holds, and which: `in every 2nd of 26`, `in 9 of 16`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from compiler.diagram.views import ScopeView

_MIN_ALL_BUT = 3  # copies, of which all but one are named by that one
_MAX_RUNS = 4096  # runs of equal copies that are looked at to find a pattern


def copies_label(view: ScopeView, cases: Collection[int]) -> str:
    """In how many copies of a scope something holds that holds in some of its cases; "" if it does in all."""
    count = sum(view.copies[case] for case in cases)
    total = sum(view.copies)
    if count == total:
        return ""
    which, repeated = _pattern(view, frozenset(cases))
    if which and repeated == total:
        return f"in {which} of {total:,}"
    every = f" ({which} of each)" if which else ""
    return f"in {count:,} of {total:,}{every}"


def _pattern(view: ScopeView, cases: frozenset[int]) -> tuple[str, int]:
    """Which copies of each repeat these are, "" if that has no name; and how many copies, if there is one repeat."""
    found, number, total = "", 0, 0
    for number, (spans, total) in enumerate(_repeats(view, cases), 1):
        pattern = name_of_pattern(spans, total)
        if not pattern or (number > 1 and pattern != found):
            return "", 0
        found = pattern
    return found, total if number == 1 else 0


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
    """The name of a set of copies, given as ascending spans; "" if it has none.

    >>> name_of_pattern([range(0, 1)], 3), name_of_pattern([range(1, 3)], 3)
    ('the first', 'the last 2')
    >>> name_of_pattern([range(1, 2), range(3, 4)], 4), name_of_pattern([range(1, 2)], 3)
    ('every 2nd', 'the 2nd')
    >>> name_of_pattern([range(4, 5), range(12, 13)], 16), name_of_pattern([range(29)], 30)
    ('every 8th from the 5th', 'all but the last')
    >>> name_of_pattern([range(1, 3)], 5), name_of_pattern([range(1, 2), range(2, 3)], 3)
    ('', 'the last 2')
    """
    spans = _joined(spans)
    if not spans:
        return ""
    gaps = _between(spans, total)
    if total > _MIN_ALL_BUT and sum(map(len, gaps)) == 1:
        return f"all but {name_of_pattern(gaps, total)}"
    if len(spans) == 1:
        (span,) = spans
        count = f" {len(span):,}" if len(span) > 1 else ""
        if span.start == 0:
            return f"the first{count}"
        if span.stop == total:
            return f"the last{count}"
        return f"the {_ordinal(span.stop)}" if len(span) == 1 else ""
    step = spans[1].start - spans[0].start
    numbers = range(spans[0].start, total, step)
    if any(len(span) != 1 for span in spans) or len(spans) != len(numbers):
        return ""
    if [span.start for span in spans] != list(numbers):
        return ""
    start = numbers.start + 1
    return f"every {_ordinal(step)}{'' if start == step else f' from the {_ordinal(start)}'}"


def _joined(spans: Sequence[range]) -> list[range]:
    """Spans of which none begins where another ends."""
    found: list[range] = []
    for span in spans:
        if found and found[-1].stop == span.start:
            span = range(found.pop().start, span.stop)
        found.append(span)
    return found


def _between(spans: Sequence[range], total: int) -> list[range]:
    """The copies that are in none of the spans."""
    edges = [0, *(edge for span in spans for edge in (span.start, span.stop)), total]
    gaps = (range(*pair) for pair in zip(edges[::2], edges[1::2], strict=True))
    return [gap for gap in gaps if gap]


def _ordinal(number: int) -> str:
    suffix = "th"
    if number % 100 not in (11, 12, 13):
        suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{suffix}"
