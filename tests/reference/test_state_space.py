"""State spaces as transformers has them: the same numbers from the same weights."""

from __future__ import annotations

from typing import Any

import torch
from transformers import MambaConfig, MambaForCausalLM

from tests.reference.equality import (
    check_equal,
    count,
    generated,
    on_meta,
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


def test_mamba_equals_transformers() -> None:
    tokens = torch.randint(61, (3, 9))
    check_equal(
        generated("mamba_130m")(**SMALL),
        MambaForCausalLM(MambaConfig(**SAME)),
        translation("mamba_130m", **SMALL),
        lambda model: (model(tokens),),
        exact(lambda model: (model(input_ids=tokens).logits,)),
    )


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


def test_mamba_counts_as_transformers() -> None:
    theirs = on_meta(MambaForCausalLM, MambaConfig(num_hidden_layers=24))
    theirs.tie_weights()  # type: ignore[operator]
    ours = on_meta(generated("mamba_130m"))
    named = translation("mamba_130m")(theirs.state_dict())
    assert count(ours) == count(theirs) == 129_135_360
    assert {k: v.shape for k, v in ours.state_dict().items()} == {
        k: v.shape for k, v in named.items()
    }
