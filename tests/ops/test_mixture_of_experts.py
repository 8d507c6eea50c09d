"""Mixtures of experts against transformers' own."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import MixtralConfig, Qwen2MoeConfig
from transformers.models.mixtral.modeling_mixtral import (
    MixtralSparseMoeBlock,
    load_balancing_loss_func,
)
from transformers.models.qwen2_moe.modeling_qwen2_moe import Qwen2MoeSparseMoeBlock

from compiler.library.load_balancing import load_balancing
from compiler.library.mixture_of_experts import MixtureOfExperts
from compiler.op.errors import OpError
from compiler.symbolic.tensor import TensorType
from tests.ops.coverage import each
from tests.ops.draws import SIZES, alike, label, some, type_of, types
from tests.ops.harness import check, infer, tensor

SHAPES = {
    "top_k": st.integers(1, 5),
    "gated": st.booleans(),
    "norm_topk_prob": st.booleans(),
    "activation": st.sampled_from(["silu", "gelu", "relu"]),
}


@each("mixture_of_experts")
@given(types(2, 4), SIZES, SIZES, some(**SHAPES), st.sampled_from(["cpu", "meta"]))
def test_rule(
    op: str,
    input: TensorType,
    hidden: int,
    experts: int,
    given: dict[str, Any],
    device: str,
) -> None:
    arguments = {"hidden_features": hidden, "num_experts": experts, **given}
    found = check(op, arguments, {"input": input}, device=device)
    if found.outputs:
        output, logits, balance = found.outputs
        assert output == input
        assert logits == input.with_size(-1, experts)
        assert str(balance) == "float[]"


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_balance_has_the_dtype_of_the_network(dtype: torch.dtype) -> None:
    layer = MixtureOfExperts(4, 8, 3).to(dtype)
    _, logits, balance = layer(torch.randn(2, 3, 4, dtype=dtype))
    assert balance.dtype == logits.dtype == dtype
    assert load_balancing(logits, 2).dtype == dtype


def test_refuses() -> None:
    arguments = {"hidden_features": 4, "num_experts": 2, "top_k": 3}
    with pytest.raises(OpError, match="top_k is 3, but there are 2 experts"):
        infer("mixture_of_experts", arguments, {"input": tensor("float[B, T, 8]")})
    with pytest.raises(OpError, match="must be known"):
        infer(
            "mixture_of_experts",
            {"hidden_features": 4, "num_experts": 2},
            {"input": tensor("float[B, T, D]")},
        )


@each("load_balancing")
@given(types(1, 4), st.booleans(), st.data(), some(top_k=SHAPES["top_k"]))
def test_load_balancing(
    op: str,
    input: TensorType,
    masked: bool,
    data: st.DataObject,
    given: dict[str, Any],
) -> None:
    tokens = [int(str(size)) for size in input.shape[:-1]]
    mask = type_of(*data.draw(alike(tokens)), kind="bool") if masked else None
    check(op, given, {"router_logits": input, "mask": mask})


def test_a_mask_goes_with_the_tokens() -> None:
    logits = tensor("float[L, B, T, 4]")
    assert infer(
        "load_balancing", {}, {"router_logits": logits, "mask": tensor("bool[B, T]")}
    )
    with pytest.raises(OpError, match="broadcasts to the shape of the tokens"):
        infer(
            "load_balancing",
            {},
            {"router_logits": logits, "mask": tensor("bool[T, B]")},
        )
    with pytest.raises(OpError, match="at most 3 dimensions"):
        infer(
            "load_balancing",
            {},
            {"router_logits": logits, "mask": tensor("bool[1, L, B, T]")},
        )


@pytest.mark.parametrize("masked", [False, True])
def test_balance_of_several_layers_is_that_of_transformers(masked: bool) -> None:
    torch.manual_seed(0)
    logits = 3 * torch.randn(3, 2, 7, 5)
    mask = torch.rand(2, 7) > 0.4 if masked else None
    layers = tuple(layer.flatten(0, 1) for layer in logits)
    wanted = load_balancing_loss_func(
        layers, 5, 2, None if mask is None else mask.long()
    )
    torch.testing.assert_close(load_balancing(logits, 2, mask), wanted)


def pair(norm: bool) -> tuple[MixtureOfExperts, Any]:
    """Ours and transformers' with the same weights."""
    torch.manual_seed(0)
    sizes: dict[str, Any] = {"hidden_size": 6, "num_experts_per_tok": 2}
    config: Any
    block: Any = MixtralSparseMoeBlock if norm else Qwen2MoeSparseMoeBlock
    if norm:
        config = MixtralConfig(intermediate_size=5, num_local_experts=4, **sizes)
    else:
        config = Qwen2MoeConfig(
            moe_intermediate_size=5,
            shared_expert_intermediate_size=3,
            num_experts=4,
            norm_topk_prob=False,
            **sizes,
        )
    config._experts_implementation = "eager"
    theirs = block(config)
    if not norm:
        for weight in theirs.shared_expert.parameters():
            nn.init.zeros_(weight)
    for weight in (theirs.gate.weight, *theirs.experts.parameters()):
        nn.init.normal_(weight)
    ours = MixtureOfExperts(6, 5, 4, norm_topk_prob=norm)
    ours.load_state_dict(
        {k: v for k, v in theirs.state_dict().items() if "shared" not in k}
    )
    return ours, theirs


def gradients(loss: Tensor, *modules: nn.Module) -> list[Tensor]:
    found: list[Tensor] = []
    for module in modules:
        found += torch.autograd.grad(loss, list(module.parameters()), retain_graph=True)
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("norm", [True, False])
def test_equals_transformers(norm: bool, dtype: torch.dtype) -> None:
    ours, theirs = (module.to(dtype) for module in pair(norm))
    x = torch.randn(3, 7, 6, dtype=dtype)
    output, logits, _ = ours(x)
    wanted = theirs(x)
    torch.testing.assert_close(output, wanted)
    torch.testing.assert_close(logits, x @ theirs.gate.weight.T)
    torch.testing.assert_close(
        gradients(output.square().sum(), ours.gate, ours.experts),
        gradients(wanted.square().sum(), theirs.gate, theirs.experts),
        rtol=1e-4,
        atol=1e-4 if dtype == torch.float32 else 1e-9,
    )


@given(st.integers(1, 4))
def test_balance_is_that_of_transformers(k: int) -> None:
    torch.manual_seed(k)
    ours = MixtureOfExperts(6, 5, 4, top_k=k)
    _, logits, balance = ours(3 * torch.randn(3, 7, 6))
    wanted = load_balancing_loss_func((logits.flatten(0, -2),), 4, top_k=k)
    torch.testing.assert_close(balance, wanted)


@pytest.mark.parametrize("gated", [True, False])
def test_an_expert_written_out(gated: bool) -> None:
    torch.manual_seed(0)
    ours = MixtureOfExperts(6, 5, 3, top_k=1, gated=gated, activation=F.relu)
    x = torch.randn(9, 6)
    probabilities, chosen = (x @ ours.gate.weight.T).softmax(-1).max(-1)
    output, _, _ = ours(x)
    for t, e in enumerate(chosen.tolist()):
        experts = ours.experts
        up = (experts.gate_up_proj if gated else experts.up_proj)[e] @ x[t]
        hidden = up[:5].relu() * up[5:] if gated else up.relu()
        torch.testing.assert_close(output[t], experts.down_proj[e] @ hidden)
    assert probabilities.max() < 1


@pytest.mark.parametrize("strict", [True, False])
def test_compiles_and_exports(strict: bool) -> None:
    ours = MixtureOfExperts(6, 5, 4)
    x = torch.randn(3, 7, 6)
    whole = torch.compile(ours, fullgraph=True, backend="eager", dynamic=True)
    torch.testing.assert_close(whole(x), ours(x))
    shapes = ({0: torch.export.Dim("B"), 1: torch.export.Dim("T")},)
    program = torch.export.export(ours, (x,), dynamic_shapes=shapes, strict=strict)
    for batch, steps in [(2, 5), (1, 1)]:
        x = torch.randn(batch, steps, 6)
        torch.testing.assert_close(program.module()(x), ours(x))


def test_code_and_label() -> None:
    inputs = {"input": tensor("float[2, 3, 6]")}
    arguments = {"hidden_features": 5, "num_experts": 4, "activation": "gelu"}
    found = check("mixture_of_experts", arguments, inputs, device="cpu")
    assert found.construct == "MixtureOfExperts(6, 5, 4, activation=F.gelu)"
    assert label("mixture_of_experts", arguments, **inputs) == "2 of 4 experts"
