"""The shipped architectures: those that decode are proved causal, and others are refused where they look ahead."""

from __future__ import annotations

import pytest

from compiler.causality.prove import prove
from tests.programs import compiled

DECODERS = {
    "rnn": "T",
    "elman": "T",
    "encoder_decoder": "T",
    "pointer_generator": "T",
    "g2p": "T",
    "wavenet": "T",
    "tcn": "T",
    "gpt2": "T",
    "gpt_neox": "T",
    "opt": "T",
    "bloom": "T",
    "llama3": "T",
    "mistral": "T",
    "mixtral": "T",
    "qwen2": "T",
    "qwen3": "T",
    "gemma2": "T",
    "gemma3": "T",
    "jamba": "T",
    "falcon": "T",
    "qwen3_moe": "T",
    "gpt_oss": "T",
    "deepseek_v3": "T",
    "smollm3": "T",
    "granite": "T",
    "cohere": "T",
    "stablelm": "T",
    "phi": "T",
    "gptj": "T",
    "olmo": "T",
    "starcoder2": "T",
    "cohere2": "T",
    "phi3": "T",
    "olmo2": "T",
    "t5_small": "T",
    "bart_base": "T",
    "pegasus": "T",
    "transformer": "T",
    "whisper_tiny": "T",
    "mamba_130m": "T",
    "rwkv4": "T",
}


@pytest.mark.parametrize("spec", DECODERS)
def test_decoder_is_causal(spec: str) -> None:
    found = prove(compiled(spec).typed, DECODERS[spec])
    assert found.inputs
    assert found.causal
    assert any(output.along for output in found.outputs.values())


@pytest.mark.parametrize(
    ("spec", "layer"),
    [
        ("bert", "BERT.encoder[0].attention.attention"),
        ("roberta", "RoBERTa.encoder[0].attention.attention"),
        ("albert", "ALBERT.layer[0].attention.attention"),
    ],
)
def test_encoder_is_refused_at_its_first_attention(spec: str, layer: str) -> None:
    found = prove(compiled(spec).typed)
    assert not found.causal
    for _, steps in found.leaks:
        assert steps[0].path == layer
        assert steps[0].reason == "attends to every position of T"
        assert steps[0].help.startswith("is_causal: true")


@pytest.mark.parametrize(
    ("spec", "output", "reach"),
    [
        ("wavenet", "logits", "[-3070, 0]"),
        ("tcn", "logits", "[-28, 0]"),
        ("mistral", "logits", "[-131040, 0]"),  # 32 layers with windows of 4096
        ("gpt2", "logits", "[-inf, 0]"),
    ],
)
def test_receptive_field(spec: str, output: str, reach: str) -> None:
    found = prove(compiled(spec).typed)
    assert {str(one) for one in found.outputs[output].reaches.values()} == {reach}


def test_encoder_of_a_decoder_carries_no_position() -> None:
    scope = prove(compiled("t5_small").typed).scope
    assert not scope.nodes["encoder"].carries
    assert scope.nodes["decoder"].carries


def test_pooled_output_is_given_for_a_whole_sequence_only() -> None:
    found = prove(compiled("bert").typed)
    assert not found.outputs["pooled"].along
    assert not found.outputs["pooled"].leak
