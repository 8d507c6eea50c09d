"""torch's attention module, with masks the language's way round."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.op.errors import OpError
from compiler.op.registry import ops
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import label, one_line, some, type_of
from tests.ops.harness import check, infer, layer, tensor

SIZES = st.integers(1, 4)
FLAGS = (
    "bias",
    "add_bias_kv",
    "add_zero_attn",
    "is_causal",
    "need_weights",
    "average_attn_weights",
)


@st.composite
def layers(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, TensorType]]:
    heads, size, time, keys, kdim, vdim = (draw(SIZES) for _ in range(6))
    batch = draw(st.lists(SIZES, max_size=1))
    arguments = draw(some(**dict.fromkeys(FLAGS, st.booleans())))
    inputs = {"query": type_of(*batch, time, heads * size)}
    if draw(st.booleans()):
        inputs["key"] = type_of(*batch, keys, kdim)
    keys = inputs.get("key", inputs["query"]).shape[-2].evaluate({})
    if draw(st.booleans()):
        inputs["value"] = type_of(*batch, keys, vdim)
    if draw(st.booleans()):
        inputs["key_padding_mask"] = type_of(*batch, keys, kind="bool")
    rows: list[list[int]] = [[], *([[batch[0]]] if batch else [])]
    rows.append([heads * batch[0] if batch else heads])
    first = draw(st.none() | st.sampled_from(rows))
    if first is not None:
        inputs["attn_mask"] = type_of(*first, time, keys, kind="bool")
    return {"num_heads": heads, **arguments}, inputs


@each("multihead_attention")
@given(layers())
def test_rule(op: str, drawn: tuple[dict[str, Any], dict[str, TensorType]]) -> None:
    assert check(op, *drawn).outputs


@given(layers(), st.data())
def test_rule_refuses_what_torch_refuses(
    drawn: tuple[dict[str, Any], dict[str, TensorType]], data: st.DataObject
) -> None:
    arguments, inputs = drawn
    arguments.pop(
        "is_causal", None
    )  # by accident, a mask of one row broadcasts with it
    port = data.draw(st.sampled_from(sorted(inputs)))
    axis = data.draw(st.integers(0, inputs[port].rank - 1))
    inputs[port] = inputs[port].with_size(axis, data.draw(st.integers(0, 6)))
    check("multihead_attention", arguments, inputs)


MASKS = {
    "key_padding_mask": torch.tensor([[True, True, True], [True, True, False]]),
    "attn_mask": torch.tensor([[[1, 0, 0], [1, 1, 0], [1, 1, 1]]] * 2).bool(),
}


@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("ports", [(), ("key_padding_mask",), tuple(MASKS)])
def test_numbers(need_weights: bool, is_causal: bool, ports: tuple[str, ...]) -> None:
    arguments = {"num_heads": 2, "is_causal": is_causal, "need_weights": need_weights}
    x = torch.randn(2, 3, 8)
    masks = {port: MASKS[port] for port in ports}
    types = {port: type_of(*m.shape, kind="bool") for port, m in masks.items()}
    module = layer(
        "multihead_attention", arguments, {"query": type_of(2, 3, 8), **types}
    )
    found = module(x, *masks.values())
    admitted = torch.ones(2, 3, 3, dtype=torch.bool)
    if is_causal:
        admitted = admitted.tril()
    if "key_padding_mask" in ports:
        admitted = admitted & masks["key_padding_mask"][:, None]
    if "attn_mask" in ports:
        admitted = admitted & masks["attn_mask"]
    output, weights = reference(module.layer, x, admitted)
    assert torch.allclose(found[0], output, atol=1e-5)
    assert not need_weights or torch.allclose(found[1], weights, atol=1e-5)


def reference(
    module: Any, x: torch.Tensor, admitted: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention of two heads written out, from the tensors of torch's module."""
    projected = x @ module.in_proj_weight.T + module.in_proj_bias
    q, k, v = (p.unflatten(-1, (2, 4)).transpose(1, 2) for p in projected.chunk(3, -1))
    scores = q @ k.transpose(-1, -2) / 2
    weights = scores.masked_fill(~admitted[:, None], float("-inf")).softmax(-1)
    return module.out_proj((weights @ v).transpose(1, 2).flatten(-2)), weights.mean(1)


def code(arguments: dict[str, Any], **inputs: str) -> tuple[str, str]:
    types = {port: tensor(text) for port, text in inputs.items()}
    found = check("multihead_attention", {"num_heads": 2, **arguments}, types)
    return found.construct, one_line(found.forward)


def test_code() -> None:
    construct, forward = code({"dropout": 0.1}, query="float[2, 3, 8]")
    assert construct == "nn.MultiheadAttention(8, 2, dropout=0.1, batch_first=True)"
    assert forward.startswith(
        "output_0, _ = self.layer(query, query, query, need_weights=False)"
    )
    construct, forward = code(
        {"need_weights": True},
        query="float[2, 3, 8]",
        key="float[2, 5, 6]",
        key_padding_mask="bool[2, 5]",
    )
    assert construct == (
        "nn.MultiheadAttention(8, 2, kdim=6, vdim=6, batch_first=True)"
    )
    assert forward.startswith(
        "output_0, output_1 = self.layer(query, key, key, "
        "key_padding_mask=~key_padding_mask)"
    )


def test_code_of_causal_attention() -> None:
    ones = "query.new_ones(query.shape[1], query.shape[1], dtype=torch.bool)"
    _, forward = code({"is_causal": True}, query="float[2, 3, 8]")
    assert f"later_0 = {ones}.triu(1) " in forward
    assert "need_weights=False, attn_mask=later_0, is_causal=True)" in forward
    # torch's shortcut would hide the keys that it adds at the end
    _, forward = code({"is_causal": True, "add_zero_attn": True}, query="float[2,3,8]")
    assert "is_causal" not in forward
    _, forward = code(
        {"is_causal": True}, query="float[2, 3, 8]", attn_mask="bool[2, 3, 3]"
    )
    assert "attn_mask=later_0 | (~attn_mask).repeat_interleave(2, dim=0)" in forward


def test_optional_inputs_may_be_none() -> None:
    x, memory = torch.randn(2, 3, 8), torch.randn(2, 3, 8)
    inputs = {"query": type_of(2, 3, 8), "key": type_of(2, 3, 8)}
    inputs |= {p: type_of(*m.shape, kind="bool") for p, m in MASKS.items()}
    arguments = {"num_heads": 2, "is_causal": True}
    ports = frozenset(inputs) - {"query"}
    found = check("multihead_attention", arguments, inputs, optional=ports)
    scope: dict[str, Any] = {}
    exec(found.source, scope)  # noqa: S102 - made by this test
    module = scope["Layer"]()
    alone = module(x, None, None, None)[0]
    causal = torch.ones(2, 3, 3, dtype=torch.bool).tril()
    assert torch.allclose(alone, reference(module.layer, x, causal)[0], atol=1e-5)
    assert not torch.allclose(module(x, memory, None, None)[0], alone)
    padded = module(x, None, MASKS["key_padding_mask"], MASKS["attn_mask"])[0]
    admitted = causal & MASKS["key_padding_mask"][:, None]
    assert torch.allclose(padded, reference(module.layer, x, admitted)[0], atol=1e-5)


def test_symbols_of_one_value() -> None:
    hints = {"D": Dim.of(8), "M": Dim.of(8)}
    inputs = {"query": tensor("float[B, T, D]"), "key": tensor("float[B, S, M]")}
    (output,) = infer("multihead_attention", {"num_heads": 2}, inputs, hints)
    assert str(output) == "float[B, T, D]"


def test_symbols() -> None:
    outputs = infer(
        "multihead_attention",
        {"num_heads": 2, "need_weights": True, "average_attn_weights": False},
        {"query": tensor("float[B, T, 8]"), "key": tensor("float[B, S, 6]")},
    )
    assert [*map(str, outputs)] == ["float[B, T, 8]", "float[B, 2, T, S]"]


@pytest.mark.parametrize(
    ("changed", "fault", "port"),
    [
        ({"query": "float[T]"}, "rank-mismatch", "query"),
        ({"query": "float[B, T, 7]"}, "constraint", ""),
        ({"key": "float[T, 8]"}, "rank-mismatch", "key"),
        ({"key": "float[C, T, 8]"}, "shape-mismatch", "key"),
        ({"value": "float[B, S, 8]"}, "shape-mismatch", "value"),
        ({"key_padding_mask": "bool[T, B]"}, "shape-mismatch", "key_padding_mask"),
        ({"attn_mask": "bool[B, T]"}, "shape-mismatch", "attn_mask"),
        ({"attn_mask": "float[T, T]"}, "kind-mismatch", "attn_mask"),
    ],
)
def test_faults(changed: dict[str, str], fault: str, port: str) -> None:
    inputs = {"query": tensor("float[B, T, 8]")}
    inputs |= {p: tensor(text) for p, text in changed.items()}
    with pytest.raises(OpError) as caught:
        infer("multihead_attention", {"num_heads": 2}, inputs)
    assert (caught.value.code, caught.value.port) == (fault, port)


def test_label() -> None:
    arguments = {"num_heads": 2, "is_causal": True}
    shown = label("multihead_attention", arguments, query=type_of(1, 2, 4))
    assert shown == "2 heads, causal"


def test_it_stands_in_the_family_of_attention() -> None:
    assert ops()["multihead_attention"].family == ops()["attention"].family
