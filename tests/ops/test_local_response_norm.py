"""Normalisation by near channels, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from compiler.op.errors import OpError
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import label, some, type_of, types
from tests.ops.harness import check, infer, layer, run

EPS = st.sampled_from((1e-5, 1e-3))
SETTINGS = some(alpha=EPS, beta=st.just(0.5), k=st.just(2.0))


@each("local_response_norm")
@given(
    input=types(1, 5),
    size=st.integers(1, 5),
    arguments=SETTINGS,
)
def test_local_response_norm(
    op: str, input: TensorType, size: int, arguments: dict[str, Any]
) -> None:
    given = {"size": size, **arguments}
    check(op, given, {"input": input}, device="cpu")


@each("cross_map_lrn2d")
@given(input=types(4, 4) | types(1, 5), size=st.integers(2, 5), arguments=SETTINGS)
def test_cross_map_lrn2d(
    op: str, input: TensorType, size: int, arguments: dict[str, Any]
) -> None:
    check(op, {"size": size, **arguments}, {"input": input}, device="cpu")


def test_a_size_of_1_has_no_gradient_in_torch() -> None:
    x = torch.randn(2, 3, 4, 5, requires_grad=True)
    with pytest.raises(RuntimeError):
        nn.CrossMapLRN2d(1)(x).sum().backward()
    with pytest.raises(OpError, match="size is 1, and must be at least 2"):
        infer("cross_map_lrn2d", {"size": 1}, {"input": type_of(*x.shape)})


@pytest.mark.parametrize("size", [2, 3, 4, 5, 9])
@pytest.mark.parametrize("channels", [1, 2, 7])
def test_numbers(size: int, channels: int) -> None:
    """The same as torch's class, compiled too."""
    arguments, x = {"size": size, "alpha": 0.5}, torch.randn(2, channels, 3, 4)
    expected = nn.CrossMapLRN2d(size, alpha=0.5)(x)
    assert torch.equal(run("cross_map_lrn2d", arguments, {"input": x}), expected)
    module = layer("cross_map_lrn2d", arguments, {"input": type_of(*x.shape)})
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), expected)


def test_code() -> None:
    input = type_of(1, 4, 3, 3)
    found = check("cross_map_lrn2d", {"size": 5}, {"input": input}, device="cpu")
    assert found.construct == "CrossMapLRN2d(5)"
    assert label("cross_map_lrn2d", {"size": 5}, input=input) == "size 5"
