"""Bags of tokens, held against torch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from tests.ops.coverage import each
from tests.ops.draws import SELDOM, SIZES, label, some, type_of
from tests.ops.harness import check, infer, run, tensor

SETTINGS = some(
    max_norm=st.just(1.5),
    norm_type=st.just(1.0),
    scale_grad_by_freq=SELDOM,
    sparse=SELDOM,
    mode=st.sampled_from(("sum", "mean", "max")),
    padding_idx=st.integers(-5, 5),
)


@each("embedding_bag")
@given(SETTINGS, SIZES, SIZES, SIZES, SIZES, st.data())
def test_embedding_bag(
    op: str,
    arguments: dict[str, Any],
    count: int,
    width: int,
    bags: int,
    tokens: int,
    data: st.DataObject,
) -> None:
    arguments |= {"num_embeddings": count, "embedding_dim": width}
    inputs = {"input": type_of(bags, tokens, kind="int")}
    if data.draw(st.booleans()):
        inputs = {"input": type_of(tokens, kind="int")}
        last = data.draw(st.booleans())
        arguments["include_last_offset"] = last
        # of no bag at all torch writes beyond its memory: see test_no_bag
        inputs["offsets"] = type_of(bags + last, kind="int")
    if data.draw(SELDOM):
        inputs["offsets"] = type_of(bags + 1, kind="int")
    if data.draw(SELDOM):
        shape = [size.evaluate({}) for size in inputs["input"].shape]
        shape[0] += data.draw(SELDOM)
        inputs["per_sample_weights"] = type_of(*shape)
        arguments["mode"] = "max" if data.draw(SELDOM) else "sum"
    check(op, arguments, inputs, device="cpu")


def test_numbers() -> None:
    arguments = {"num_embeddings": 5, "embedding_dim": 3, "mode": "sum"}
    tokens = torch.tensor([[1, 2], [0, 4]])
    torch.manual_seed(0)
    rows = run("embedding_bag", arguments, {"input": tokens})
    torch.manual_seed(0)
    offsets = torch.tensor([0, 2])
    inputs = {"input": tokens.flatten(), "offsets": offsets}
    assert torch.equal(run("embedding_bag", arguments, inputs), rows)
    torch.manual_seed(0)
    assert torch.equal(torch.nn.Embedding(5, 3)(tokens).sum(1), rows)


def test_no_bag() -> None:
    arguments = {"num_embeddings": 5, "embedding_dim": 3, "include_last_offset": True}
    inputs = {"input": type_of(4, kind="int"), "offsets": type_of(1, kind="int")}
    with pytest.raises(OpError, match="the number of bags"):
        infer("embedding_bag", arguments, inputs)


def test_symbols() -> None:
    arguments: dict[str, Any] = {"num_embeddings": 5, "embedding_dim": 3}
    inputs = {"input": tensor("int[N]"), "offsets": tensor("int[B]")}
    (output,) = infer("embedding_bag", arguments, inputs)
    assert str(output) == "float[B, 3]"
    with pytest.raises(OpError, match="needs 2 dimensions"):
        infer("embedding_bag", arguments, {"input": tensor("int[N]")})
    arguments["include_last_offset"] = True
    with pytest.raises(OpError, match="include_last_offset requires offsets") as caught:
        infer("embedding_bag", arguments, {"input": tensor("int[B, T]")})
    assert caught.value.argument == "include_last_offset"


def test_code() -> None:
    arguments = {"num_embeddings": 5, "embedding_dim": 3, "mode": "sum"}
    inputs = {
        "input": type_of(2, 4, kind="int"),
        "per_sample_weights": type_of(2, 4),
    }
    found = check("embedding_bag", arguments, inputs)
    assert found.construct == 'nn.EmbeddingBag(5, 3, mode="sum")'
    assert found.forward == [
        "return self.layer(input, per_sample_weights=per_sample_weights)"
    ]
    assert label("embedding_bag", arguments, **inputs) == "sum, 5 → 3"
