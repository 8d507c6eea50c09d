"""State spaces as transformers has them: the same numbers from the same weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import MambaConfig, MambaForCausalLM, RwkvConfig, RwkvForCausalLM

from runtime.load import build_on_meta
from tests.reference.equality import (
    check_equal,
    count,
    generated,
    inferred,
    randomize,
    shapes_of,
    translation,
)
from tests.reference.exact import exact

SMALL: dict[str, Any] = {"vocab": 61, "width": 20, "depth": 2, "states": 4}
SAME: dict[str, Any] = {
    "vocab_size": 61,
    "hidden_size": 20,
    "num_hidden_layers": 2,
    "state_size": 4,
}
RWKV: dict[str, Any] = {"vocab": 61, "width": 20, "depth": 2}
SAME_RWKV: dict[str, Any] = {
    "vocab_size": 61,
    "hidden_size": 20,
    "num_hidden_layers": 2,
    "rescale_every": 0,  # halves of states, for half precision
}
# What takes part in texts of 8 tokens, by the side that is padded.
RIGHT = torch.arange(8) < torch.tensor([[8], [5], [2], [1]])
MASKS = {"right": RIGHT, "left": RIGHT.flip(1)}


def test_mamba_equals_transformers() -> None:
    tokens = torch.randint(61, (3, 9))
    check_equal(
        generated("mamba_130m")(**SMALL),
        MambaForCausalLM(MambaConfig(**SAME)),
        translation("mamba_130m", **SMALL),
        lambda model: (model(tokens),),
        exact(lambda model: (model(input_ids=tokens).logits,)),
    )


@pytest.mark.parametrize("padding", MASKS)
def test_padded_mamba_equals_transformers(padding: str) -> None:
    tokens, mask = torch.randint(61, (4, 8)), MASKS[padding]
    check_equal(
        generated("mamba_130m")(**SMALL),
        MambaForCausalLM(MambaConfig(**SAME)),
        translation("mamba_130m", **SMALL),
        lambda model: (model(tokens, mask),),
        exact(lambda model: (_logits(model, tokens, mask),)),
    )


@pytest.mark.parametrize("padding", MASKS)
def test_a_padded_text_gives_what_it_gives_alone(padding: str) -> None:
    torch.manual_seed(0)
    model = generated("mamba_130m")(**SMALL)
    randomize(model)
    texts, mask = torch.randint(61, (4, 8)), MASKS[padding]
    alone = [model(text[here][None])[0] for text, here in zip(texts, mask, strict=True)]
    torch.testing.assert_close(model(texts, mask)[mask], torch.cat(alone))


def test_mamba_equals_transformers_step_by_step() -> None:
    theirs = MambaForCausalLM(MambaConfig(**SAME)).train(False)
    ours = generated("mamba_130m")(**SMALL).eval()
    ours.load_state_dict(translation("mamba_130m", **SMALL)(theirs.state_dict()))
    tokens = torch.randint(61, (3, 9))
    cache: Any = None
    steps = []
    for t in range(9):
        given = theirs(input_ids=tokens[:, t : t + 1], cache_params=cache)
        cache = given.cache_params
        steps.append(given.logits[:, 0])
    torch.testing.assert_close(ours(tokens), torch.stack(steps, 1))


def test_mamba_starts_as_transformers() -> None:
    """With the same state matrix, and steps that are drawn alike."""
    torch.manual_seed(0)
    sizes = SMALL | {"width": 2000, "depth": 1}
    config = MambaConfig(**SAME | {"hidden_size": 2000, "num_hidden_layers": 1})
    ours = generated("mamba_130m")(**sizes).state_dict()
    theirs = MambaForCausalLM(config).state_dict()
    named = translation("mamba_130m", **sizes)(theirs)
    ssm = "layers.0.mixer.ssm"
    for name in ("a_log", "d"):
        assert torch.equal(ours[f"{ssm}.{name}"], named[f"{ssm}.{name}"])
    steps, expected = (_steps(state[f"{ssm}.dt_proj.bias"]) for state in (ours, named))
    torch.testing.assert_close(steps, expected, rtol=0.2, atol=0)
    ends = torch.tensor([1e-3, 0.1])
    torch.testing.assert_close(steps[[0, -1]], ends, rtol=0.01, atol=0)


def test_mamba_counts_as_transformers() -> None:
    theirs = build_on_meta(MambaForCausalLM, MambaConfig(num_hidden_layers=24))
    theirs.tie_weights()  # type: ignore[operator]
    ours = build_on_meta(generated("mamba_130m"))
    named = translation("mamba_130m")(theirs.state_dict())
    assert count(ours) == count(theirs) == 129_135_360
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: v.shape for k, v in named.items()
    }


def test_rwkv_equals_transformers() -> None:
    tokens = torch.randint(61, (3, 9))
    check_equal(
        generated("rwkv4")(**RWKV),
        RwkvForCausalLM(RwkvConfig(**SAME_RWKV)),
        translation("rwkv4", **RWKV),
        lambda model: (model(tokens),),
        exact(lambda model: (model(input_ids=tokens, use_cache=False).logits,)),
    )


def test_rwkv_in_steps_equals_rwkv_at_once() -> None:
    model = generated("rwkv4")(**RWKV).double().eval()
    randomize(model)
    tokens, state = torch.randint(61, (2, 9)), model.init_state(9)
    pieces = [model.step(piece, state=state) for piece in tokens.split([4, 1, 1, 3], 1)]
    torch.testing.assert_close(torch.cat(pieces, 1), model(tokens))


@pytest.mark.parametrize(
    ("variant", "width", "depth", "parameters"),
    [("", 768, 12, 169_342_464), ("size_14b", 5120, 40, 14_148_597_760)],
)
def test_rwkv_counts_as_transformers(
    variant: str, width: int, depth: int, parameters: int
) -> None:
    config = RwkvConfig(hidden_size=width, num_hidden_layers=depth)
    theirs = build_on_meta(RwkvForCausalLM, config)
    found, shapes = inferred("rwkv4", variant)
    named = translation("rwkv4", variant=variant)(theirs.state_dict())
    assert found == count(theirs) == parameters
    assert shapes == shapes_of(named)


def _logits(model: nn.Module, tokens: Tensor, mask: Tensor) -> Tensor:
    given: Tensor = model(input_ids=tokens, attention_mask=mask.long()).logits
    return given


def _steps(bias: Tensor) -> Tensor:
    """The least and largest step that channels begin with, and the deciles between."""
    return F.softplus(bias).quantile(torch.linspace(0, 1, 11))
