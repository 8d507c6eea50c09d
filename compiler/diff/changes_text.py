"""Changes as text: `+` added, `-` removed, `~` changed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from compiler.diff.compare import Changes, SizeChange

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def report(changes: Changes) -> str:
    """All changes grouped by scope, then the changed sizes of the networks."""
    lines = list(_lines(changes))
    return "\n".join(lines or ["no differences"]) + "\n"


def _lines(changes: Changes) -> Iterator[str]:
    for scope, members in groupby(changes.changes, key=lambda change: change.scope):
        yield f"{scope}:"
        for change in members:
            first, *rest = change.details or ("",)
            several = change.kind == "changed" and rest
            detail = f": {first}" if first and not several else ""
            yield f"  {_SIGNS[change.kind]} {change.name}{detail}"
            yield from (f"      {line}" for line in change.details if several)
    yield from (_size(size) for size in changes.sizes if size.before != size.after)


def _size(change: SizeChange) -> str:
    of = f" of {change.network}" if change.network else ""
    before, after = change.before or "none", change.after or "none"
    return f"{change.quantity}{of}: {before} -> {after}{_difference(change)}"


def _difference(change: SizeChange) -> str:
    try:
        before, after = (
            int(text.replace(",", "")) for text in (change.before, change.after)
        )
    except ValueError:  # a formula
        return ""
    return f" ({after - before:+,})"
