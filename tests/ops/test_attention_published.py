"""Attention of published models: capped scores, sliding windows, optional masks."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.nn import functional as F
from transformers import MistralConfig
from transformers.masking_utils import create_sliding_window_causal_mask
from transformers.models.gemma2.modeling_gemma2 import (
    eager_attention_forward as gemma_attention,
)
from transformers.models.gpt_oss.modeling_gpt_oss import (
    eager_attention_forward as gpt_oss_attention,
)

from compiler.library.explicit_attention import explicit_attention
from tests.ops.draws import one_line
from tests.ops.harness import check, run, tensor

PORTS = ("query", "key", "value")
SELF = {port: tensor("float[2, 5, 8]") for port in PORTS}


@pytest.mark.parametrize("masked", [False, True])
def test_capped_scores_equal_gemmas(masked: bool) -> None:
    torch.manual_seed(0)
    module: Any = SimpleNamespace(
        num_key_value_groups=2, head_dim=4, training=False, layer_idx=0
    )
    query, key, value = (torch.randn(2, n, 5, 4, requires_grad=True) for n in (4, 2, 2))
    causal = torch.ones(5, 5, dtype=torch.bool).tril()
    added = torch.zeros(5, 5).masked_fill(~causal, torch.finfo(torch.float32).min)
    theirs, _ = gemma_attention(
        module, query, key, value, added if masked else None, softcap=3.0, scaling=0.7
    )
    ours = explicit_attention(
        query, key, value, softcap=3.0, is_causal=masked, scale=0.7
    )
    ours = ours.transpose(1, 2)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        torch.autograd.grad(ours.square().sum(), (query, key, value)),
        torch.autograd.grad(theirs.square().sum(), (query, key, value)),
    )


@pytest.mark.parametrize("masked", [False, True])
def test_sinks_equal_gpt_oss(masked: bool) -> None:
    torch.manual_seed(0)
    sinks = torch.randn(4, requires_grad=True)
    module: Any = SimpleNamespace(
        num_key_value_groups=2, sinks=sinks, training=False, layer_idx=0
    )
    query, key, value = (torch.randn(2, n, 5, 4, requires_grad=True) for n in (4, 2, 2))
    causal = torch.ones(5, 5, dtype=torch.bool).tril()
    added = torch.zeros(5, 5).masked_fill(~causal, torch.finfo(torch.float32).min)
    theirs, _ = gpt_oss_attention(
        module, query, key, value, added if masked else None, scaling=0.7
    )
    ours = explicit_attention(
        query, key, value, is_causal=masked, scale=0.7, sinks=sinks
    ).transpose(1, 2)
    torch.testing.assert_close(ours, theirs)
    leaves = (query, key, value, sinks)
    torch.testing.assert_close(
        torch.autograd.grad(ours.square().sum(), leaves),
        torch.autograd.grad(theirs.square().sum(), leaves),
    )


def test_capped_scores_without_a_key_have_finite_gradients() -> None:
    query = torch.randn(1, 1, 2, 4, requires_grad=True)
    masks = (torch.tensor([[True], [False]]), torch.tensor([[0.0], [-math.inf]]))
    for mask in masks:
        found = explicit_attention(
            query, query[:, :, :1], query[:, :, :1], mask, softcap=2.0
        )
        assert not found[:, :, 1].any()
        (gradient,) = torch.autograd.grad(found.sum(), query)
        assert gradient.isfinite().all()


@pytest.mark.parametrize("window", [1, 3, 20])
def test_window_admits_what_mistrals_does(window: int) -> None:
    padding = torch.ones(2, 9, dtype=torch.bool)
    padding[1, 6:] = False
    config = MistralConfig(sliding_window=window, hidden_size=8, num_attention_heads=2)
    config._attn_implementation = "sdpa"
    theirs: Any = create_sliding_window_causal_mask(
        config=config,
        inputs_embeds=torch.zeros(2, 9, 8),
        attention_mask=padding,
        past_key_values=None,
    )
    torch.manual_seed(0)
    inputs: dict[str, Any] = {port: torch.randn(2, 9, 8) for port in PORTS}
    arguments = {"num_heads": 2, "is_causal": True, "window": window}
    found = run("attention", arguments, inputs | {"mask": padding})
    query, key, value = (
        torch.unflatten(x, -1, (2, 4)).transpose(1, 2) for x in inputs.values()
    )
    wanted = F.scaled_dot_product_attention(query, key, value, attn_mask=theirs)
    wanted = wanted.transpose(1, 2).flatten(-2)
    torch.testing.assert_close(found[padding], wanted[padding])


def test_code_of_an_optional_mask_keeps_the_fused_kernel_without_it() -> None:
    found = check(
        "attention",
        {"num_heads": 4, "is_causal": True},
        SELF | {"mask": tensor("bool[2, 5]")},
        optional=frozenset({"mask"}),
    )
    code = one_line(found.forward)
    assert "admitted_0 = (None if mask is None else query.new_ones(" in code
    assert "attn_mask=admitted_0, is_causal=mask is None)" in code


def test_code_of_capped_scores() -> None:
    arguments = {"num_heads": 4, "is_causal": True, "softcap": 50.0, "num_kv_heads": 4}
    code = one_line(check("attention", arguments, SELF).forward)
    assert code.startswith("layer_0 = explicit_attention(")
    assert "is_causal=True, softcap=50.0)" in code
