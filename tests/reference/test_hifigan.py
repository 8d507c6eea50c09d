"""HiFi-GAN's generator, as transformers has it: the same numbers from the same weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

from tests.reference.equality import built, check_equal, count, translation


def test_hifigan_equals_transformers() -> None:
    sizes: dict[str, Any] = {
        "model_in_dim": 5,
        "upsample_initial_channel": 8,
        "upsample_rates": [4, 2],
        "upsample_kernel_sizes": [8, 4],
        "resblock_kernel_sizes": [3, 5],
        "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5]],
        "normalize_before": False,
    }
    settings = {"mels": 5, "width": 8, "rates": (4, 2), "rate_kernels": (8, 4)}
    theirs = SpeechT5HifiGan(SpeechT5HifiGanConfig(**sizes))
    theirs.apply_weight_norm()
    mel = torch.randn(3, 5, 9)
    settings["kernels"] = (3, 5)
    check_equal(
        built("hifigan", **settings),
        theirs,
        translation("hifigan", **settings),
        lambda model: (model(mel.to(_dtype(model))),),
        lambda model: (model(mel.mT.to(_dtype(model))),),
    )


def test_hifigan_counts_as_transformers() -> None:
    """The sizes of the paper's first version."""
    rates, kernels = [8, 8, 2, 2], [16, 16, 4, 4]
    config = SpeechT5HifiGanConfig(upsample_rates=rates, upsample_kernel_sizes=kernels)
    theirs = SpeechT5HifiGan(config)
    theirs.apply_weight_norm()
    ours = built("hifigan")
    named = translation("hifigan")(theirs.state_dict())
    assert count(ours) == count(theirs)
    found = {name: tensor.shape for name, tensor in ours.state_dict().items()}
    assert found == {name: tensor.shape for name, tensor in named.items()}


def _dtype(model: nn.Module) -> torch.dtype:
    return next(model.parameters()).dtype
