"""Networks that forecast series, as transformers has them: the same numbers from the same weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import PatchTSTConfig, PatchTSTForPrediction

from runtime.load import build_on_meta
from tests.reference.equality import (
    check_equal,
    count,
    generated,
    inferred,
    shapes_of,
    translation,
)

PAPER: dict[str, Any] = {
    "patch_length": 16,
    "patch_stride": 8,
    "d_model": 128,
    "num_attention_heads": 16,
    "ffn_dim": 256,
    "num_hidden_layers": 3,
    "prediction_length": 96,
}
ALWAYS: dict[str, Any] = {
    "num_input_channels": 3,
    "loss": "mse",
    "do_mask_input": False,
    "pre_norm": False,
    "positional_encoding_type": "random",  # and learned
    "pooling_type": None,
}
SMALL: dict[str, Any] = {
    "patch_length": 4,
    "patch_stride": 3,
    "d_model": 6,
    "num_attention_heads": 2,
    "ffn_dim": 8,
    "num_hidden_layers": 2,
    "prediction_length": 5,
}
SAME: dict[str, Any] = {
    "patch": 4,
    "stride": 3,
    "width": 6,
    "heads": 2,
    "hidden": 8,
    "depth": 2,
    "horizon": 5,
    "dropout": 0.0,
}


@pytest.mark.parametrize("context", [16, 17], ids=["whole", "with a rest"])
def test_patchtst_equals_transformers(context: int) -> None:
    settings = SAME | {"context": context}
    config = PatchTSTConfig(context_length=context, **ALWAYS | SMALL)
    past = 1.0 + torch.randn(2, context, 3, dtype=torch.float64)
    check_equal(
        generated("patchtst")(**settings),
        PatchTSTForPrediction(config),
        translation("patchtst", **settings),
        lambda model: (model(past.to(model.head.weight)),),
        lambda model: (
            model(past.to(model.head.projection.weight)).prediction_outputs,
        ),
    )


@pytest.mark.parametrize(
    ("variant", "context", "parameters"),
    [("", 512, 1_181_920), ("patches_42", 336, 908_768)],
)
def test_patchtst_counts_as_transformers(
    variant: str, context: int, parameters: int
) -> None:
    config = PatchTSTConfig(context_length=context, **ALWAYS | PAPER)
    theirs = build_on_meta(PatchTSTForPrediction, config)
    found, shapes = inferred("patchtst", variant)
    named = translation("patchtst", variant=variant)(theirs.state_dict())
    assert found == count(theirs) == parameters
    assert shapes == shapes_of(named)
