"""A part of the matrix of ops and wrappers: all wrappers for a few ops; `python -m tests.fuzz --matrix` runs all."""

from __future__ import annotations

import pytest

from compiler.op.registry import ops
from compiler.reporting.op_examples import example
from tests.fuzz.matrix import WRAPPERS, run_cell


@pytest.mark.parametrize("op", sorted(ops()))
def test_every_op_has_an_example(op: str) -> None:
    found = example(op)
    assert found is not None
    assert found.op == op


@pytest.mark.parametrize("wrapper", [name for name in WRAPPERS if name != "scan"])
def test_every_wrapper_takes_a_plain_op(wrapper: str) -> None:
    """`bilinear` has weights and two inputs, and gives what its first input is."""
    *_, outcome, text = run_cell(("bilinear", wrapper))
    assert outcome.kind in ("ok", "none"), f"{outcome.detail}\n{text}"
