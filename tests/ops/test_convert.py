from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import Kind, TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, label, type_of, types
from tests.ops.harness import check, infer, layer, run, tensor


@each("to")
@given(types(kinds=KINDS), types(kinds=KINDS), KINDS)
def test_to(op: str, input: TensorType, other: TensorType, kind: Kind) -> None:
    check(op, {"dtype": kind}, {"input": input})
    check(op, {}, {"input": input, "other": other})


@each("one_hot")
@given(types(kinds=KINDS) | types(kinds=st.just("int")), st.integers(-1, 4))
def test_one_hot(op: str, input: TensorType, classes: int) -> None:
    if classes != -1:  # for which torch looks at the values
        check(op, {"num_classes": classes}, {"input": input}, device="cpu")


def test_to_needs_either_a_dtype_or_a_tensor() -> None:
    inputs = {"input": tensor("int[B]")}
    with pytest.raises(OpError, match="either a dtype or a second input"):
        infer("to", {}, inputs)
    with pytest.raises(OpError, match="either a dtype or a second input"):
        infer("to", {"dtype": "int"}, inputs | {"other": tensor("float[]")})


LINES = [
    ("int[2]", {"dtype": "float"}, "input.to(torch.get_default_dtype())"),
    ("float[2]", {"dtype": "int"}, "input.to(torch.int64)"),
    ("int[2]", {"dtype": "bool"}, "input.to(torch.bool)"),
    ("float[2]", {"dtype": "float"}, "input"),
]


@pytest.mark.parametrize(("input", "arguments", "line"), LINES)
def test_code_reads_as_written_by_hand(input: str, arguments: Any, line: str) -> None:
    found = check("to", arguments, {"input": tensor(input)})
    assert found.forward == [f"return {line}"]


def test_code_of_the_rest() -> None:
    mask, x = tensor("bool[2]"), tensor("float[2]")
    found = check("to", {}, {"input": mask, "other": x})
    assert found.forward == ["return input.to(other.dtype)"]
    found = check("one_hot", {"num_classes": 4}, {"input": tensor("int[2]")})
    assert found.forward == ["return F.one_hot(input, 4)"]


def test_values() -> None:
    mask, x = torch.tensor([True, False]), torch.zeros(1, dtype=torch.float64)
    types = {"input": tensor("bool[2]"), "other": tensor("float[1]")}
    found = layer("to", {}, types)(mask, x)
    assert found.dtype == torch.float64 and found.tolist() == [1, 0]
    same = layer("to", {"dtype": "float"}, {"input": tensor("float[1]")})
    assert same(x).dtype == torch.float64
    found = run("one_hot", {"num_classes": 3}, {"input": torch.tensor([2, 0])})
    assert found.tolist() == [[0, 0, 1], [1, 0, 0]]


def test_symbols() -> None:
    hints = {"vocab": Dim.of(100)}
    inputs = {"input": tensor("int[B, T]")}
    found = infer("one_hot", {"num_classes": "vocab"}, inputs, hints)
    assert found == (tensor("int[B, T, vocab]"),)
    assert label("one_hot", {"num_classes": 3}, input=type_of(2, kind="int")) == "3"
    assert label("to", {"dtype": "int"}, input=type_of(2), other=None) == "int"
