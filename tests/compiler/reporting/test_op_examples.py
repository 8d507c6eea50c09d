"""Each op has an example, which its page on the site shows."""

import pytest

from compiler.op.registry import ops
from compiler.reporting.op_examples import example, example_text


@pytest.mark.parametrize("op", ["istft", "linear", "pow", "repeat_interleave", "stft"])
def test_an_example_names_its_op(op: str) -> None:
    assert f"op: {op}" in example_text(op) or f": {op}" in example_text(op)


@pytest.mark.deep
def test_each_op_has_an_example() -> None:
    assert [op for op in ops() if example(op) is None] == []
