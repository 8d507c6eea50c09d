"""How far sequences are from those that were expected (Levenshtein, 1966)."""

from __future__ import annotations

from collections.abc import Sequence


def edit_distance(one: Sequence[object], other: Sequence[object]) -> int:
    """The smallest number of substitutions, deletions and insertions that make one sequence the other.

    >>> edit_distance("kitten", "sitting")
    3
    """
    row = list(range(len(other) + 1))
    for i, item in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, wanted in enumerate(other, 1):
            best = min(diagonal + (item != wanted), row[j] + 1, row[j - 1] + 1)
            diagonal, row[j] = row[j], best
    return row[-1]


def error_rate(
    found: Sequence[Sequence[object]], expected: Sequence[Sequence[object]]
) -> float:
    """All edits that make the sequences those expected, as a fraction of the items that these have."""
    edits = sum(map(edit_distance, found, expected))
    return edits / max(1, sum(map(len, expected)))
