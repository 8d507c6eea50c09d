"""Networks of raw sound as transformers has them: the same numbers from the same weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

from runtime.load import build_on_meta
from tests.reference.equality import (
    check_equal,
    count,
    generated,
    inferred,
    shapes_of,
    translation,
)

ALWAYS: dict[str, Any] = {
    "mask_time_prob": 0.0,  # what is masked in training is drawn at random
    "layerdrop": 0.0,
}
WAV2VEC2: dict[str, Any] = ALWAYS | {
    "vocab_size": 11,
    "conv_dim": (12, 12, 12),
    "conv_kernel": (10, 3, 2),
    "conv_stride": (5, 2, 2),
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "num_conv_pos_embeddings": 6,
    "num_conv_pos_embedding_groups": 4,
    "hidden_dropout": 0.0,
    "activation_dropout": 0.0,
    "attention_dropout": 0.0,
    "final_dropout": 0.0,
}
SAME: dict[str, Any] = {
    "vocab": 11,
    "channels": 12,
    "kernels": (10, 3, 2),
    "strides": (5, 2, 2),
    "width": 24,
    "depth": 2,
    "heads": 3,
    "hidden": 40,
    "position_kernel": 6,
    "position_groups": 4,
    "dropout": 0.0,
}
LARGE: dict[str, Any] = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
}


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("kernel", [6, 7], ids=["even", "odd"])
def test_wav2vec2_equals_transformers(attention: str, kernel: int) -> None:
    config = Wav2Vec2Config(**WAV2VEC2 | {"num_conv_pos_embeddings": kernel})
    config._attn_implementation = attention
    settings = SAME | {"position_kernel": kernel}
    samples = torch.randn(3, 413, dtype=torch.float64)
    check_equal(
        generated("wav2vec2")(**settings),
        Wav2Vec2ForCTC(config),
        translation("wav2vec2", **settings),
        lambda model: (model(samples.to(model.lm_head.weight)),),
        lambda model: (model(samples.to(model.lm_head.weight)).logits,),
    )


@pytest.mark.parametrize(
    ("variant", "sizes", "parameters"),
    [("", {}, 94_395_552), ("large", LARGE, 315_460_768)],
)
def test_wav2vec2_counts_as_transformers(
    variant: str, sizes: dict[str, Any], parameters: int
) -> None:
    theirs = build_on_meta(Wav2Vec2ForCTC, Wav2Vec2Config(**ALWAYS | sizes))
    found, shapes = inferred("wav2vec2", variant)
    named = translation("wav2vec2", variant=variant)(theirs.state_dict())
    assert found == count(theirs) == parameters
    assert shapes == shapes_of(named)


def test_older_names_of_wav2vec2() -> None:
    """Magnitude and direction of the convolution of positions, as torch called them before."""
    theirs = Wav2Vec2ForCTC(Wav2Vec2Config(**WAV2VEC2)).state_dict()
    ends = {".parametrizations.weight.original0": ".weight_g"}
    ends[".parametrizations.weight.original1"] = ".weight_v"
    older = {}
    for name, tensor in theirs.items():
        end = next((end for end in ends if name.endswith(end)), "")
        older[name.removesuffix(end) + ends.get(end, "")] = tensor
    assert len(older.keys() - theirs.keys()) == 2
    translate = translation("wav2vec2", **SAME)
    wanted = translate(theirs)
    assert translate(older).keys() == wanted.keys()
    for name, tensor in translate(older).items():
        assert tensor.equal(wanted[name]), name
