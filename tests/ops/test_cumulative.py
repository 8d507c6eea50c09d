from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.symbolic.domain import Constraint, Domain
from compiler.symbolic.symbols import of_networks
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, label, type_of, types
from tests.ops.harness import check, infer, run, tensor

AXES = st.integers(-4, 3)


@each("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin")
@given(types(kinds=KINDS), AXES)
def test_running(op: str, input: TensorType, dim: int) -> None:
    check(op, {"dim": dim}, {"input": input}, device="cpu")


@each("diff")
@given(types(kinds=KINDS), st.integers(1, 6), AXES)
def test_diff(op: str, input: TensorType, n: int, dim: int) -> None:
    check(op, {"n": n, "dim": dim}, {"input": input})


def test_code_reads_as_written_by_hand() -> None:
    def lines(op: str, **arguments: Any) -> list[str]:
        return check(op, arguments, {"input": tensor("float[2, 3]")}).forward

    assert lines("cumsum", dim=-1) == ["return input.cumsum(dim=-1)"]
    assert lines("cummax", dim=1)[0] == "output_0, output_1 = input.cummax(dim=1)"
    assert lines("diff") == ["return input.diff()"]
    assert lines("diff", n=2, dim=0) == ["return input.diff(n=2, dim=0)"]


def test_values() -> None:
    x = torch.randn(2, 5)
    assert torch.equal(run("cumsum", {"dim": 1}, {"input": x}), x.cumsum(1))
    values, indices = run("cummax", {"dim": 1}, {"input": x})
    assert torch.equal(values, x.gather(1, indices))
    assert torch.equal(run("diff", {}, {"input": x}), x[:, 1:] - x[:, :-1])


def test_symbols() -> None:
    inputs = {"input": tensor("bool[B, T]")}
    assert infer("cumsum", {"dim": 1}, inputs) == (tensor("int[B, T]"),)
    inputs = {"input": tensor("float[B, T]")}
    assert infer("diff", {}, inputs) == (tensor("float[B, T - 1]"),)
    with pytest.raises(OpError, match="n needs T - 2 >= 0") as caught:
        infer("diff", {"n": 2}, inputs)
    assert caught.value.conditions.least == of_networks({"T": 2})
    domain = Domain(of_networks({"T": Constraint(min=2)}))
    assert infer("diff", {"n": 2}, inputs, domain=domain) == (
        tensor("float[B, T - 2]"),
    )


def test_labels() -> None:
    assert label("cumsum", {"dim": 1}, input=type_of(2, 3)) == "dim 1"
    assert label("diff", {}, input=type_of(2, 3)) == "dim -1"
