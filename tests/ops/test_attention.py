"""Attention against a softmax written out, and its rule against torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compiler.op.errors import OpError
from compiler.symbolic.dims import Dim
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import one_line, type_of
from tests.ops.harness import check, infer, run, tensor

SIZES = st.integers(1, 5)


@dataclass(frozen=True)
class Case:
    """Sizes of one attention and its arguments."""

    arguments: dict[str, Any]
    batch: int
    queries: int
    keys: int
    kv_heads: int
    width: int
    value_width: int
    mask: tuple[int, ...] | None
    bias: tuple[int, ...] | None
    sunk: bool

    @property
    def heads(self) -> int:
        return int(self.arguments["num_heads"])

    def shapes(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {
            "query": (self.batch, self.queries, self.heads * self.width),
            "key": (self.batch, self.keys, self.kv_heads * self.width),
            "value": (self.batch, self.keys, self.kv_heads * self.value_width),
        }
        found |= {} if self.mask is None else {"mask": self.mask}
        found |= {} if self.bias is None else {"bias": self.bias}
        return found | ({"sinks": (self.heads,)} if self.sunk else {})


@st.composite
def cases(draw: st.DrawFn) -> Case:
    kv_heads, group, batch, queries, keys = (draw(st.integers(1, 4)) for _ in range(5))
    heads = kv_heads * group
    arguments: dict[str, Any] = {"num_heads": heads, "is_causal": draw(st.booleans())}
    if group > 1 or draw(st.booleans()):
        arguments["num_kv_heads"] = kv_heads
    arguments |= draw(st.fixed_dictionaries({}, optional={"window": SIZES}))
    reals = {"scale": st.floats(0.1, 2), "softcap": st.floats(0.5, 5)}
    arguments |= draw(st.fixed_dictionaries({}, optional=reals))
    if draw(st.integers(0, 3)) == 0:
        arguments["need_weights"] = True
    scores = (batch, heads, queries, keys)
    masks = [(batch, queries, keys), (1, queries, keys), scores, (batch, 1, 1, keys)]
    if batch != queries:
        masks += [(batch, keys), (queries, keys)]
    biases = [scores[i:] for i in range(3)] + [(heads, 1, keys)]
    return Case(
        arguments,
        batch,
        queries,
        keys,
        kv_heads,
        draw(SIZES),
        draw(SIZES),
        draw(st.none() | st.sampled_from(masks)),
        draw(st.none() | st.sampled_from(biases)),
        draw(st.sampled_from([False, False, True])),
    )


def types(case: Case) -> dict[str, TensorType]:
    return {
        port: TensorType(
            "bool" if port == "mask" else "float", tuple(map(Dim.of, shape))
        )
        for port, shape in case.shapes().items()
    }


@each("attention")
@given(cases())
def test_rule(op: str, case: Case) -> None:
    found = check(op, case.arguments, types(case))
    width = case.heads * case.value_width
    output, *weights = found.outputs
    assert output == type_of(case.batch, case.queries, width)
    pairs = type_of(case.batch, case.heads, case.queries, case.keys)
    assert weights == [pairs] * case.arguments.get("need_weights", False)


@given(cases(), st.data())
def test_rule_is_sound(case: Case, data: st.DataObject) -> None:
    inputs = types(case)
    port = data.draw(st.sampled_from(sorted(inputs)))
    axis = data.draw(st.integers(0, inputs[port].rank - 1))
    inputs[port] = inputs[port].with_size(axis, data.draw(st.integers(0, 5)))
    # with `dims`, what is refused is not compared: torch broadcasts batches at times
    check("attention", case.arguments, inputs, dims={"B": 1}, device="cpu", flops=False)


@given(cases(), st.randoms(use_true_random=False))
def test_numbers(case: Case, random: Any) -> None:
    torch.manual_seed(random.randrange(1000))
    inputs = {port: torch.randn(shape) for port, shape in case.shapes().items()}
    if case.mask is not None:
        inputs["mask"] = inputs["mask"] > 0
    found = run("attention", case.arguments, inputs)
    wanted, weights = naive(case, **inputs)
    if case.arguments.get("need_weights"):
        found, found_weights = found
        assert torch.allclose(found_weights, weights, atol=1e-5)
    assert torch.allclose(found, wanted, atol=1e-5)


def naive(
    case: Case,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    bias: Tensor | None = None,
    sinks: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """A softmax over the keys that take part, and zeros where there are none; and its weights."""
    group = case.heads // case.kv_heads
    out = torch.zeros(case.batch, case.queries, case.heads, case.value_width)
    scale = case.arguments.get("scale", 1 / math.sqrt(case.width))
    q = query.reshape(case.batch, case.queries, case.heads, case.width)
    k = key.reshape(case.batch, case.keys, case.kv_heads, case.width)
    v = value.reshape(case.batch, case.keys, case.kv_heads, case.value_width)
    scores = torch.zeros(case.batch, case.heads, case.queries, case.keys)
    kept = torch.zeros_like(scores)
    added = scores if bias is None else bias.expand_as(scores)
    for b, h, t in torch.cartesian_prod(
        *map(torch.arange, (case.batch, case.heads, case.queries))
    ).reshape(-1, 3):
        admitted = [s for s in range(case.keys) if takes_part(case, mask, b, h, t, s)]
        if not admitted:
            continue
        score = k[b, admitted, h // group] @ q[b, t, h] * scale
        if "softcap" in case.arguments:
            most = case.arguments["softcap"]
            score = (score / most).tanh() * most
        score = score + added[b, h, t, admitted]
        sink = score[:0] if sinks is None else sinks[h, None]
        weights = torch.cat((score, sink)).softmax(0)[: len(admitted)]
        kept[b, h, t, admitted] = weights
        out[b, t, h] = weights @ v[b, admitted, h // group]
    return out.flatten(-2), kept


def takes_part(
    case: Case, mask: Tensor | None, b: Tensor, h: Tensor, t: Tensor, s: int
) -> bool:
    if case.arguments["is_causal"] and s > t:
        return False
    if abs(int(t) - s) >= case.arguments.get("window", math.inf):
        return False
    if mask is None:
        return True
    if mask.dim() == 2:
        return bool(mask[t if case.queries == len(mask) else b, s])
    full = mask[:, None] if mask.dim() == 3 else mask
    shape = (case.batch, case.heads, case.queries, case.keys)
    return bool(full.expand(shape)[b, h, t, s])


SELF = {port: tensor("float[2, 5, 8]") for port in ("query", "key", "value")}


def forward(arguments: dict[str, Any], **masks: str) -> str:
    """The generated forward, without line breaks."""
    inputs = SELF | {port: tensor(text) for port, text in masks.items()}
    found = check("attention", {"num_heads": 4, **arguments}, inputs)
    return one_line(found.forward)


def test_code_is_the_fused_kernel() -> None:
    assert forward({"is_causal": True, "dropout_p": 0.1}) == (
        "layer_0 = F.scaled_dot_product_attention("
        "query.unflatten(-1, (4, -1)).transpose(1, 2), "
        "key.unflatten(-1, (4, -1)).transpose(1, 2), "
        "value.unflatten(-1, (4, -1)).transpose(1, 2), "
        "is_causal=True, "
        "dropout_p=0.1 if self.training else 0.0) "
        "return layer_0.transpose(1, 2).flatten(-2)"
    )
    assert "attn_mask" not in forward({})


def test_code_of_masks() -> None:
    assert "attn_mask=mask[:, None, None])" in forward({}, mask="bool[2, 5]")
    assert "attn_mask=mask)" in forward({}, mask="bool[5, 5]")
    assert "attn_mask=mask[:, None])" in forward({}, mask="bool[2, 5, 5]")
    assert "attn_mask=bias)" in forward({}, bias="float[4, 5, 5]")
    near = "query.new_ones(query.shape[1], key.shape[1], dtype=torch.bool)"
    causal = {"is_causal": True, "window": 3}
    assert f"admitted_0 = ({near}.tril().triu(1 - 3))" in forward(causal)
    assert f"({near}.tril(3 - 1).triu(1 - 3))" in forward({"window": 3})
    padded = forward({"is_causal": True}, mask="bool[2, 5]")
    assert f"({near}.tril() & mask[:, None, None])" in padded
    assert "attn_mask=admitted_0)" in padded
    both = forward({"is_causal": True}, bias="float[5, 5]")
    assert 'attn_mask=torch.where(admitted_0, bias, float("-inf"))' in both


def test_code_with_weights() -> None:
    assert forward({"need_weights": True, "dropout_p": 0.1, "num_kv_heads": 4}) == (
        "output_0, output_1 = attention_with_weights("
        "query.unflatten(-1, (4, -1)).transpose(1, 2), "
        "key.unflatten(-1, (4, -1)).transpose(1, 2), "
        "value.unflatten(-1, (4, -1)).transpose(1, 2), "
        "dropout_p=0.1 if self.training else 0.0) "
        "return output_0, output_1"
    )


def test_code_of_dropout_alone_in_training() -> None:
    inputs = {port: torch.randn(1, 4, 4) for port in SELF}
    arguments = {"num_heads": 2, "dropout_p": 1.0}
    assert not run("attention", arguments, inputs).any()


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize(
    "ports", [("mask",), ("bias",), ("mask", "bias"), ("sinks",), ("mask", "sinks")]
)
def test_optional_masks_may_be_none(is_causal: bool, ports: tuple[str, ...]) -> None:
    arguments = {"num_heads": 2, "is_causal": is_causal}
    shapes = {"mask": (2, 3), "bias": (3, 3), "sinks": (2,)}
    queries: dict[str, Tensor | None] = {p: torch.randn(2, 3, 4) for p in SELF}
    masks = {"mask": torch.rand(2, 3) > 0.3, "bias": torch.randn(3, 3)}
    masks["sinks"] = torch.randn(2)
    given = {port: masks[port] for port in ports}
    found = check(
        "attention",
        arguments,
        {port: tensor("float[2, 3, 4]") for port in SELF}
        | {
            p: tensor(f"{'bool' if p == 'mask' else 'float'}{list(shapes[p])}")
            for p in ports
        },
        optional=frozenset(ports),
    )
    scope: dict[str, Any] = {}
    exec(found.source, scope)  # noqa: S102 - made by this test
    layer = scope["Layer"]()
    for left_out in [(), *((p,) for p in ports), ports]:
        kept = {p: None if p in left_out else given[p] for p in ports}
        wanted = run("attention", arguments, queries | kept)
        assert torch.allclose(layer(**queries, **kept), wanted, atol=1e-6)


def test_symbols() -> None:
    (output,) = infer(
        "attention",
        {"num_heads": "heads", "is_causal": True},
        {port: tensor("float[B, T, D]") for port in SELF},
        {"heads": Dim.of(4), "D": Dim.of(64)},
    )
    assert str(output) == "float[B, T, D]"
    grouped = {
        "query": tensor("float[B, T, 64]"),
        "key": tensor("float[B, S, 16]"),
        "value": tensor("float[B, S, 32]"),
        "mask": tensor("bool[B, S]"),
        "bias": tensor("float[8, T, S]"),
    }
    (output,) = infer("attention", {"num_heads": 8, "num_kv_heads": 2}, grouped)
    assert str(output) == "float[B, T, 128]"


@pytest.mark.parametrize(
    ("changed", "code", "port"),
    [
        ({"query": "float[B, T]"}, "rank-mismatch", "query"),
        ({"key": "float[C, T, 8]"}, "shape-mismatch", "key"),
        ({"value": "float[B, S, 8]"}, "shape-mismatch", "value"),
        ({"key": "float[B, T, 16]"}, "shape-mismatch", "key"),
        ({"query": "float[B, T, 6]"}, "constraint", ""),
        ({"value": "float[B, T, 6]"}, "constraint", ""),
        ({"mask": "float[B, T]"}, "kind-mismatch", "mask"),
        ({"mask": "bool[S, T]"}, "shape-mismatch", "mask"),
        ({"mask": "bool[B, T, S]"}, "shape-mismatch", "mask"),
        ({"mask": "bool[B, 3, T, T]"}, "shape-mismatch", "mask"),
        ({"mask": "bool[T]"}, "rank-mismatch", "mask"),
        ({"bias": "float[T]"}, "rank-mismatch", "bias"),
        ({"bias": "float[3, T, T]"}, "shape-mismatch", "bias"),
    ],
)
def test_faults(changed: dict[str, str], code: str, port: str) -> None:
    inputs = {p: tensor("float[B, T, 8]") for p in SELF}
    inputs |= {p: tensor(text) for p, text in changed.items()}
    with pytest.raises(OpError) as caught:
        infer("attention", {"num_heads": 4}, inputs)
    assert (caught.value.code, caught.value.port) == (code, port)


def test_a_mask_that_could_be_read_both_ways_is_refused() -> None:
    inputs = {p: tensor("float[5, 5, 8]") for p in SELF} | {
        "mask": tensor("bool[5, 5]")
    }
    with pytest.raises(OpError, match="could be"):
        infer("attention", {"num_heads": 4}, inputs)


def test_heads_must_divide() -> None:
    with pytest.raises(OpError, match="num_heads must be a multiple of num_kv_heads"):
        infer("attention", {"num_heads": 4, "num_kv_heads": 3}, SELF)
