"""Holds the drawn examples of an op to be of use."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.ops.coverage import accepted, drawn_ops, refused

LEAST_SHARE = 0.02
"""So many of an op's examples run, at least; the others are refused, by torch as well."""


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(
    pyfuncitem: pytest.Function,
) -> Generator[None, object, object]:
    """After a test that draws examples of an op: some must have run."""
    accepted.clear()
    refused.clear()
    outcome = yield
    if drawn_ops(pyfuncitem.function):
        op = str(pyfuncitem.callspec.params["op"])
        tried = accepted[op] + refused[op]
        assert accepted[op] > LEAST_SHARE * tried, f"of {tried} only {accepted[op]} run"
    return outcome
