"""Which ops are held against torch on drawn arguments and shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

EXAMPLES = 50
"""How many examples a test draws in a run, of all of its ops together: at least."""
EXAMPLES_OF_EACH = 20
"""How many of them are of each op, at least; `make test-deep` draws a thousand."""

accepted: Counter[str] = Counter()
"""How many times `check` found the rule of an op and torch to give the same type."""
refused: Counter[str] = Counter()
"""How many times both refused."""


def each(*ops: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a test for every one of these ops (its argument `op`), on drawn examples.

    The test fails where hardly any example is a network that runs: tests/ops/conftest.py.
    """

    def mark(test: Callable[..., Any]) -> Callable[..., Any]:
        assert getattr(test, "is_hypothesis_test", False), "stands above @given"
        test.drawn_ops = ops  # type: ignore[attr-defined]
        count = max(EXAMPLES // len(ops), EXAMPLES_OF_EACH, settings().max_examples)
        drawn = settings(max_examples=count)(test)
        marked: Callable[..., Any] = pytest.mark.parametrize("op", ops)(drawn)
        return marked

    return mark


def drawn_ops(test: Callable[..., Any]) -> tuple[str, ...]:
    """The ops that a test draws examples of."""
    found: tuple[str, ...] = getattr(test, "drawn_ops", ())
    return found
