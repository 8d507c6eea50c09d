"""Networks whose layers are of several kinds, as transformers has them: the same numbers from the same weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    JambaConfig,
    JambaForCausalLM,
)

from runtime.load import build_on_meta
from tests.reference.equality import (
    check_equal,
    count,
    generated,
    shapes_of,
    translation,
)
from tests.reference.exact import exact

SMALL: dict[str, Any] = {
    "vocab": 61,
    "width": 16,
    "hidden": 24,
    "depth": 6,
    "heads": 4,
    "kv_heads": 2,
    "experts": 4,
    "states": 4,
}
SAME: dict[str, Any] = {
    "vocab_size": 61,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_experts": 4,
    "mamba_d_state": 4,
    "pad_token_id": None,
}


def _logits(model: nn.Module, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
    given: Tensor = model(input_ids=tokens, attention_mask=mask).logits
    return given


def _theirs() -> JambaForCausalLM:
    config = JambaConfig(**SAME)
    config._experts_implementation = "eager"  # the other has no double precision
    return JambaForCausalLM(config)


def test_jamba_equals_transformers() -> None:
    tokens = torch.randint(61, (3, 9))
    check_equal(
        generated("jamba")(**SMALL),
        _theirs(),
        translation("jamba", **SMALL),
        lambda model: (model(tokens),),
        exact(lambda model: (_logits(model, tokens),)),
    )


def test_padded_jamba_equals_transformers() -> None:
    tokens = torch.randint(61, (4, 8))
    mask = torch.arange(8) >= torch.tensor([[0], [3], [6], [7]])  # padded on the left
    check_equal(
        generated("jamba")(**SMALL),
        _theirs(),
        translation("jamba", **SMALL),
        lambda model: (model(tokens, mask)[mask],),
        exact(lambda model: (_logits(model, tokens, mask.long())[mask],)),
    )


def test_jamba_in_steps_equals_jamba_at_once() -> None:
    model = generated("jamba")(**SMALL).double().eval()
    tokens = torch.randint(61, (2, 9))
    state = model.init_state(9)
    pieces = [model.step(piece, state=state) for piece in tokens.split([4, 1, 1, 3], 1)]
    torch.testing.assert_close(torch.cat(pieces, 1), model(tokens))


def test_jamba_counts_as_transformers() -> None:
    theirs = build_on_meta(JambaForCausalLM, JambaConfig())
    ours = build_on_meta(generated("jamba"))
    named = translation("jamba")(theirs.state_dict())
    assert count(ours) == count(theirs) == 51_570_323_328
    assert shapes_of(ours.state_dict()) == shapes_of(named)


GEMMA: dict[str, Any] = {
    "vocab": 61,
    "width": 36,  # whose root is whole: theirs is a number of single precision
    "hidden": 24,
    "depth": 6,
    "heads": 4,
    "kv_heads": 2,
    "head_dim": 8,
    "scale_dim": 8,
    "window": 4,
    "context": 32,
}
SAME_GEMMA: dict[str, Any] = {
    "vocab_size": 61,
    "hidden_size": 36,
    "intermediate_size": 24,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "query_pre_attn_scalar": 8,
    "sliding_window": 4,
    "pad_token_id": None,
}
GEMMA_1B: dict[str, Any] = {
    "vocab_size": 262144,
    "hidden_size": 1152,
    "intermediate_size": 6912,
    "num_attention_heads": 4,
    "num_key_value_heads": 1,
}


def test_gemma_3_equals_transformers() -> None:
    torch.manual_seed(0)
    tokens = torch.randint(61, (3, 9))
    check_equal(
        generated("gemma3")(**GEMMA),
        Gemma3ForCausalLM(Gemma3TextConfig(**SAME_GEMMA)),
        translation("gemma3", **GEMMA),
        lambda model: (model(tokens),),
        exact(lambda model: (model(input_ids=tokens).logits,)),
    )


def test_gemma_3_in_steps_equals_gemma_3_at_once() -> None:
    model = generated("gemma3")(**GEMMA).double().eval()
    tokens = torch.randint(61, (2, 9))
    state = model.init_state(9)
    pieces = [model.step(piece, state=state) for piece in tokens.split([4, 1, 1, 3], 1)]
    torch.testing.assert_close(torch.cat(pieces, 1), model(tokens))


def test_gemma_3_counts_as_transformers() -> None:
    theirs = build_on_meta(Gemma3ForCausalLM, Gemma3TextConfig(**GEMMA_1B))
    theirs.tie_weights()  # type: ignore[operator]
    ours = build_on_meta(generated("gemma3"))
    named = translation("gemma3")(theirs.state_dict())
    assert count(ours) == count(theirs) == 999_885_952
    assert shapes_of(ours.state_dict()) == shapes_of(named)
