"""Changes as text: `+` is new, `-` is gone, `~` is another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from compiler.diff.compare import Changes, Total

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def report(changes: Changes) -> str:
    """All changes by the scope they stand in, then the sizes of the networks."""
    lines = list(_lines(changes))
    return "\n".join(lines or ["there is no difference"]) + "\n"


def _lines(changes: Changes) -> Iterator[str]:
    for place, members in groupby(changes.changes, key=lambda one: one.place):
        yield f"{place}:"
        for one in members:
            first, *rest = one.details or ("",)
            several = one.kind == "changed" and rest
            shown = f": {first}" if first and not several else ""
            yield f"  {_SIGNS[one.kind]} {one.name}{shown}"
            yield from (f"      {line}" for line in one.details if several)
    yield from (_total(one) for one in changes.totals if one.before != one.after)


def _total(one: Total) -> str:
    name = f"{one.what} of {one.network}" if one.network else one.what
    return f"{name}: {one.before or 'none'} -> {one.after or 'none'}{_difference(one)}"


def _difference(one: Total) -> str:
    try:
        before, after = (int(text.replace(",", "")) for text in (one.before, one.after))
    except ValueError:
        return ""
    return f" ({after - before:+,})"
