"""Bidirectional encoders as transformers has them: the same numbers from the same weights."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2Model,
    DistilBertConfig,
    DistilBertForMaskedLM,
    ElectraConfig,
    ElectraForMaskedLM,
    ElectraForPreTraining,
    PretrainedConfig,
    RobertaConfig,
    RobertaForMaskedLM,
)

from runtime.load import build_on_meta
from tests.reference.equality import (
    check_equal,
    count,
    generated,
    translation,
)

Config = TypeVar("Config", bound=PretrainedConfig)

SMALL: dict[str, Any] = {
    "vocab_size": 61,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 16,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
DISTILBERT: dict[str, Any] = {
    "vocab_size": 61,
    "dim": 24,
    "n_layers": 2,
    "n_heads": 3,
    "hidden_dim": 40,
    "max_position_embeddings": 16,
    "dropout": 0.0,
    "attention_dropout": 0.0,
}
ROBERTA: dict[str, Any] = SMALL | {
    "max_position_embeddings": 18,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
}
SAME: dict[str, Any] = {
    "vocab": 61,
    "context": 16,
    "width": 24,
    "depth": 2,
    "heads": 3,
    "hidden": 40,
    "dropout": 0.0,
}

DEBERTA: dict[str, Any] = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "position_biased_input": False,
}
SMALL_DEBERTA: dict[str, Any] = SMALL | {
    "num_attention_heads": 2,  # three times the width of a head is a square
    "position_buckets": 8,
}

# What published sizes say where the defaults of transformers say something else.
ROBERTA_BASE: dict[str, Any] = {
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
}
DEBERTA_BASE: dict[str, Any] = DEBERTA | {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "position_buckets": 256,
}
ALBERT_BASE: dict[str, Any] = {
    "hidden_size": 768,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}

both_ways = pytest.mark.parametrize("attention", ["eager", "sdpa"])
masked_or_not = pytest.mark.parametrize(
    "masked", [False, True], ids=["whole", "masked"]
)


@both_ways
@masked_or_not
def test_bert_equals_transformers(attention: str, masked: bool) -> None:
    theirs = BertModel(_config(BertConfig, attention, SMALL))
    tokens, segments, mask = _texts(masked)
    check_equal(
        generated("bert")(**SAME),
        theirs,
        translation("bert", **SAME),
        lambda model: model(tokens, segments, mask),
        lambda model: tuple(
            model(
                input_ids=tokens, token_type_ids=segments, attention_mask=mask.long()
            ).to_tuple()
        ),
    )


def test_bert_counts_as_transformers() -> None:
    _check_counts("bert", BertModel, BertConfig(), 109_482_240)


@both_ways
@masked_or_not
def test_distilbert_equals_transformers(attention: str, masked: bool) -> None:
    theirs = DistilBertForMaskedLM(_config(DistilBertConfig, attention, DISTILBERT))
    tokens, _, mask = _texts(masked)
    _check_masked_words("distilbert", SAME, theirs, [tokens, mask])


def test_distilbert_counts_as_transformers() -> None:
    _check_counts("distilbert", DistilBertForMaskedLM, DistilBertConfig(), 66_985_530)


@both_ways
@masked_or_not
def test_roberta_equals_transformers(attention: str, masked: bool) -> None:
    theirs = RobertaForMaskedLM(_config(RobertaConfig, attention, ROBERTA))
    tokens, _, mask = _texts(masked)
    tokens[~mask] = 1  # the places of words are counted by the padding
    _check_masked_words("roberta", SAME, theirs, [tokens, mask])


def test_roberta_counts_as_transformers() -> None:
    config = RobertaConfig(**ROBERTA_BASE)
    _check_counts("roberta", RobertaForMaskedLM, config, 124_697_433)


@both_ways
@masked_or_not
def test_albert_equals_transformers(attention: str, masked: bool) -> None:
    config = _config(AlbertConfig, attention, SMALL | {"embedding_size": 12})
    tokens, segments, mask = _texts(masked)
    _check_masked_words(
        "albert",
        SAME | {"embedding": 12},
        AlbertForMaskedLM(config),
        [tokens, segments, mask],
    )


def test_albert_counts_as_transformers() -> None:
    config = AlbertConfig(**ALBERT_BASE)
    _check_counts("albert", AlbertForMaskedLM, config, 11_221_680)


@masked_or_not
@pytest.mark.parametrize("length", [3, 9, 16])
def test_deberta_equals_transformers(length: int, masked: bool) -> None:
    """Of padded tokens theirs gives something, which means nothing."""
    theirs = DebertaV2Model(DebertaV2Config(**DEBERTA | SMALL_DEBERTA))
    tokens = torch.randint(4, 61, (3, length))
    mask = torch.arange(length) < torch.tensor([[length], [2], [length - 1]])
    mask |= not masked
    check_equal(
        generated("deberta_v3")(**SAME | {"heads": 2, "buckets": 8}),
        theirs,
        translation("deberta_v3", **SAME | {"heads": 2, "buckets": 8}),
        lambda model: (model(tokens, mask)[mask],),
        lambda model: (
            model(tokens, attention_mask=mask.long()).last_hidden_state[mask],
        ),
    )


def test_deberta_counts_as_transformers() -> None:
    config = DebertaV2Config(**DEBERTA_BASE)
    _check_counts("deberta_v3", DebertaV2Model, config, 183_831_552)


@both_ways
@masked_or_not
@pytest.mark.parametrize("embedding", [12, 24], ids=["narrow", "wide"])
def test_electra_equals_transformers(
    attention: str, masked: bool, embedding: int
) -> None:
    config = _config(ElectraConfig, attention, SMALL | {"embedding_size": embedding})
    inputs = list(_texts(masked))
    settings = SAME | {"embedding": embedding}
    discriminator = ElectraForPreTraining(config)
    _check_masked_words("electra", settings, discriminator, inputs, "discriminator")
    settings |= {"generator_width": 24, "generator_heads": 3}
    config.intermediate_size = 4 * 24
    generator = ElectraForMaskedLM(config)
    _check_masked_words("electra", settings, generator, inputs, "generator")


def test_electra_counts_as_transformers() -> None:
    config = ElectraConfig()
    _check_counts("electra", ElectraForPreTraining, config, 13_549_057, "discriminator")
    _check_counts("electra", ElectraForMaskedLM, config, 13_546_682, "generator")


def _config(
    kind: Callable[..., Config], attention: str, sizes: dict[str, Any]
) -> Config:
    config = kind(**sizes)
    config._attn_implementation = attention
    return config


def _texts(masked: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, segments and a mask; none of the tokens is a padding."""
    tokens, segments = torch.randint(4, 61, (3, 9)), torch.randint(2, (3, 9))
    mask = torch.ones(3, 9, dtype=torch.bool)
    if masked:
        mask[0, 5:] = mask[1, 3] = mask[2, 1:] = False
    return tokens, segments, mask


def _check_masked_words(
    spec: str,
    settings: dict[str, Any],
    theirs: nn.Module,
    inputs: list[Tensor],
    network: str = "",
) -> None:
    """A network of tokens, perhaps segments, and a mask, that gives logits."""
    names = ["input_ids", "token_type_ids", "attention_mask"]
    if len(inputs) == 2:
        names.remove("token_type_ids")
    named = dict(zip(names, inputs, strict=True))
    kind = generated(spec, network)
    accepted = inspect.signature(kind).parameters
    check_equal(
        kind(**{name: value for name, value in settings.items() if name in accepted}),
        theirs,
        translation(spec, network, **settings),
        lambda model: (model(*inputs),),
        lambda model: (model(**named).logits,),
    )


def _check_counts(
    spec: str,
    kind: Callable[..., nn.Module],
    config: PretrainedConfig,
    parameters: int,
    network: str = "",
) -> None:
    """The full size: as many parameters, and each of the same shape."""
    ours, theirs = build_on_meta(generated(spec, network)), build_on_meta(kind, config)
    theirs.tie_weights()  # type: ignore[operator]
    named = translation(spec, network)(theirs.state_dict())
    assert count(ours) == count(theirs) == parameters
    assert _shapes(ours.state_dict()) == _shapes(named)


def _shapes(state: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in state.items()}
