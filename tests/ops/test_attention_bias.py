"""Biases by position against transformers' own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.t5.modeling_t5 import T5Attention

from compiler.library.alibi import Alibi
from compiler.library.relative_position_bias import RelativePositionBias
from compiler.op.errors import OpError
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import KINDS, label, some, type_of, types
from tests.ops.harness import check, infer, run, tensor

HEADS = st.integers(1, 9)
INPUTS = types(1, 3, kinds=KINDS)


@each("relative_position_bias", "alibi")
@given(INPUTS, st.none() | INPUTS, HEADS, st.integers(-3, 2), st.data())
def test_rule(
    op: str,
    query: TensorType,
    key: TensorType | None,
    heads: int,
    dim: int,
    data: st.DataObject,
) -> None:
    arguments = {"num_heads": heads, "dim": dim}
    if op == "relative_position_bias":
        numbers = st.integers(4, 40)
        given = some(num_buckets=numbers, bidirectional=st.booleans())
        arguments |= data.draw(given)
    found = check(op, arguments, {"query": query, "key": key})
    if found.outputs:
        rows, columns = query.shape[dim], (key or query).shape[dim]
        (output,) = found.outputs
        assert output.shape[:2] == type_of(1, heads).shape
        assert output.shape[2:] == (rows, columns)


@given(
    st.integers(4, 40),
    st.integers(21, 300),
    st.booleans(),
    st.integers(-400, 400),
    st.integers(1, 200),
)
def test_buckets_are_those_of_t5(
    count: int, most: int, bidirectional: bool, start: int, length: int
) -> None:
    bias = RelativePositionBias(1, count, most, bidirectional)
    distance = torch.arange(start, start + length)
    wanted = T5Attention._relative_position_bucket(
        distance, bidirectional, num_buckets=count, max_distance=most
    )
    assert torch.equal(bias.bucket(distance), wanted)


def test_biases_are_looked_up_by_bucket() -> None:
    torch.manual_seed(0)
    query, key = torch.zeros(2, 5), torch.zeros(2, 7, 3)
    bias = RelativePositionBias(4, max_distance=40)
    found = bias(query, key)
    distance = torch.arange(7) - torch.arange(5)[:, None]
    assert torch.equal(found[0, 3], bias.weight[bias.bucket(distance), 3])
    assert found.shape == (1, 4, 5, 7)


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"num_buckets": 3}, "num_buckets"),
        ({"num_buckets": 1, "bidirectional": False}, "num_buckets"),
        ({"max_distance": 8}, "max_distance"),
        ({"max_distance": 16, "bidirectional": False}, "max_distance"),
    ],
)
def test_too_few_buckets(arguments: dict[str, Any], argument: str) -> None:
    with pytest.raises(OpError) as caught:
        infer(
            "relative_position_bias",
            {"num_heads": 2, **arguments},
            {"query": tensor("int[B, T]")},
        )
    assert caught.value.argument == argument


@given(HEADS, st.integers(1, 20))
def test_alibi_is_blooms_up_to_a_shift_of_each_query(heads: int, length: int) -> None:
    mask = torch.ones(1, length, dtype=torch.int64)
    wanted = build_alibi_tensor(mask, heads, torch.float32).view(1, heads, 1, length)
    found = run("alibi", {"num_heads": heads}, {"query": mask})
    for t in range(length):
        row = found[:, :, t, : t + 1]
        shifted = wanted[:, :, 0, : t + 1] - wanted[:, :, 0, t : t + 1]
        torch.testing.assert_close(row, shifted, rtol=1e-6, atol=1e-6)


def test_alibi_has_the_float_type_of_the_query_and_is_symmetric() -> None:
    found = Alibi(6)(torch.zeros(2, 5, 8, dtype=torch.float64))
    assert found.dtype == torch.float64
    assert torch.equal(found, found.mT)


def test_symbols_and_code() -> None:
    inputs = {"query": tensor("float[B, T, 8]"), "key": tensor("float[B, S, 8]")}
    for op in ("alibi", "relative_position_bias"):
        (output,) = infer(op, {"num_heads": 4}, inputs)
        assert str(output) == "float[1, 4, T, S]"
    sizes = {"query": tensor("float[2, 3, 8]"), "key": tensor("float[2, 5, 8]")}
    arguments = {"num_heads": 4, "bidirectional": False}
    found = check("relative_position_bias", arguments, sizes)
    assert found.construct == "RelativePositionBias(4, bidirectional=False)"
    assert found.forward == ["return self.layer(query, key)"]
    found = check("alibi", {"num_heads": 4}, {"query": sizes["query"]})
    assert found.construct == "Alibi(4)"
    assert found.forward == ["return self.layer(query)"]
    assert label("alibi", {"num_heads": 4}, **inputs) == "4 heads"
