"""The architectures as transformers has them: the same numbers from the same weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    ResNetConfig,
    ResNetForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)

from tests.reference.equality import (
    check_equal,
    count,
    generated,
    on_meta,
    renamed,
)

Tensors = Mapping[str, Tensor]

RESNET = {
    r"resnet\.embedder\.embedder\.convolution\.(\w+)": r"conv1.\1",
    r"resnet\.embedder\.embedder\.normalization\.(\w+)": r"bn1.\1",
    r"resnet\.encoder\.stages\.(\d+)\.layers\.(\d+)\.(.*)": r"stage\1.\2.\3",
    r"classifier\.1\.(\w+)": r"fc.\1",
}
BOTTLENECK = {
    r"layer\.(\d)\.convolution\.(\w+)": r"conv\1.\2",
    r"layer\.(\d)\.normalization\.(\w+)": r"bn\1.\2",
    r"shortcut\.convolution\.(\w+)": r"downsample.0.\1",
    r"shortcut\.normalization\.(\w+)": r"downsample.1.\1",
}
BERT = {
    r"embeddings\.word_embeddings\.weight": "word.weight",
    r"embeddings\.position_embeddings\.weight": "position.weight",
    r"embeddings\.token_type_embeddings\.weight": "segment.weight",
    r"embeddings\.LayerNorm\.(\w+)": r"norm.\1",
    r"pooler\.dense\.(\w+)": r"pooler.\1",
    r"encoder\.layer\.(\d+)\.attention\.self\.(\w+\.\w+)": r"encoder.\1.attention.\2",
    r"encoder\.layer\.(\d+)\.attention\.output\.dense\.(\w+)": (
        r"encoder.\1.attention.proj.\2"
    ),
    r"encoder\.layer\.(\d+)\.attention\.output\.LayerNorm\.(\w+)": (
        r"encoder.\1.norm1.\2"
    ),
    r"encoder\.layer\.(\d+)\.intermediate\.dense\.(\w+)": r"encoder.\1.fc1.\2",
    r"encoder\.layer\.(\d+)\.output\.dense\.(\w+)": r"encoder.\1.fc2.\2",
    r"encoder\.layer\.(\d+)\.output\.LayerNorm\.(\w+)": r"encoder.\1.norm2.\2",
}
VIT = {
    r"vit\.embeddings\.cls_token": "cls",
    r"vit\.embeddings\.position_embeddings": "positions",
    r"vit\.embeddings\.patch_embeddings\.projection\.(\w+)": r"patches.\1",
    r"vit\.layers\.(\d+)\.layernorm_before\.(\w+)": r"encoder.\1.norm1.\2",
    r"vit\.layers\.(\d+)\.layernorm_after\.(\w+)": r"encoder.\1.norm2.\2",
    r"vit\.layers\.(\d+)\.attention\.([qkv])_proj\.(\w+)": (
        r"encoder.\1.attention.\2.\3"
    ),
    r"vit\.layers\.(\d+)\.attention\.o_proj\.(\w+)": r"encoder.\1.attention.proj.\2",
    r"vit\.layers\.(\d+)\.mlp\.(fc[12])\.(\w+)": r"encoder.\1.mlp.\2.\3",
    r"vit\.layernorm\.(\w+)": r"norm.\1",
    r"classifier\.(\w+)": r"head.\1",
}


def test_resnet50_equals_transformers() -> None:
    config = _resnet(4, [2, 2, 1, 2], classes=11)
    image = torch.randn(3, 3, 75, 67)
    check_equal(
        generated("resnet50")(width=4, depths=(2, 2, 1, 2), classes=11),
        ResNetForImageClassification(config),
        _resnet_names,
        lambda model: (model(image.to(_dtype(model))),),
        lambda model: (model(pixel_values=image.to(_dtype(model))).logits,),
    )


def test_resnet50_counts_as_transformers() -> None:
    ours = on_meta(generated("resnet50"))
    theirs = on_meta(ResNetForImageClassification, _resnet(64, [3, 4, 6, 3], 1000))
    assert count(ours) == count(theirs) == 25_557_032
    assert _shapes(ours) == _shapes(theirs, _resnet_names)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
def test_bert_equals_transformers(attention: str, masked: bool) -> None:
    config = _bert(vocab_size=61, hidden_size=24, num_hidden_layers=2)
    config._attn_implementation = attention
    tokens = torch.randint(61, (3, 9))
    segments = torch.randint(2, (3, 9))
    mask = torch.ones(3, 9, dtype=torch.bool)
    if masked:
        mask[0, 5:] = mask[1, 3] = mask[2, 1:] = False
    check_equal(
        generated("bert")(
            vocab=61, context=16, width=24, depth=2, heads=3, hidden=40, dropout=0.0
        ),
        BertModel(config),
        _bert_names,
        lambda model: model(tokens, segments, mask),
        lambda model: tuple(
            model(
                input_ids=tokens, token_type_ids=segments, attention_mask=mask.long()
            ).to_tuple()
        ),
    )


def test_bert_counts_as_transformers() -> None:
    ours, theirs = on_meta(generated("bert")), on_meta(BertModel, BertConfig())
    assert count(ours) == count(theirs) == 109_482_240
    assert _shapes(ours) == _shapes(theirs, _bert_names)


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_gpt2_equals_transformers(attention: str) -> None:
    config = _gpt2(vocab_size=61, n_positions=16, n_embd=24, n_layer=2, n_head=3)
    config._attn_implementation = attention
    tokens = torch.randint(61, (3, 13))
    check_equal(
        generated("gpt2")(
            vocab=61, context=16, width=24, depth=2, heads=3, dropout=0.0
        ),
        GPT2LMHeadModel(config),
        _gpt2_names,
        lambda model: (model(tokens),),
        lambda model: (model(input_ids=tokens).logits,),
    )


def test_gpt2_counts_as_transformers() -> None:
    ours, theirs = on_meta(generated("gpt2")), on_meta(GPT2LMHeadModel, GPT2Config())
    theirs.tie_weights()  # type: ignore[operator]
    assert count(ours) == count(theirs) == 124_439_808
    assert _shapes(ours) == _shapes(theirs, _gpt2_names)


def test_vit_equals_transformers() -> None:
    config = _vit(
        image_size=24,
        patch_size=8,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=40,
        num_labels=11,
    )
    config._attn_implementation = "sdpa"  # the eager one rounds to single precision
    image = torch.randn(3, 3, 24, 24)
    check_equal(
        generated("vit")(
            classes=11, size=24, patch=8, width=24, depth=2, heads=3, hidden=40
        ),
        ViTForImageClassification(config),
        _vit_names,
        lambda model: (model(image.to(_dtype(model))),),
        lambda model: (model(pixel_values=image.to(_dtype(model))).logits,),
    )


def test_vit_counts_as_transformers() -> None:
    ours = on_meta(generated("vit"))
    theirs = on_meta(ViTForImageClassification, _vit(num_labels=1000))
    assert count(ours) == count(theirs) == 86_567_656
    assert _shapes(ours) == _shapes(theirs, _vit_names)


def _resnet(width: int, depths: list[int], classes: int) -> ResNetConfig:
    return ResNetConfig(
        embedding_size=width,
        hidden_sizes=[4 * width, 8 * width, 16 * width, 32 * width],
        depths=depths,
        layer_type="bottleneck",
        downsample_in_first_stage=False,
        num_labels=classes,  # type: ignore[call-arg]
    )


def _resnet_names(tensors: Tensors) -> dict[str, Tensor]:
    """`stage0.1.layer.2.convolution.weight` to `layer1.1.conv3.weight`."""
    made = {}
    for name, tensor in tensors.items():
        ours = renamed(name, RESNET)
        if ours.startswith("stage"):
            stage, block, rest = ours.removeprefix("stage").split(".", 2)
            part = renamed(rest, BOTTLENECK)
            if not part.startswith("downsample"):
                layer, leaf = part.split(".")  # they count from 0
                part = f"{layer[:-1]}{int(layer[-1]) + 1}.{leaf}"
            ours = f"layer{int(stage) + 1}.{block}.{part}"
        made[ours] = tensor
    return made


def _bert(**sizes: Any) -> BertConfig:
    return BertConfig(
        num_attention_heads=3,
        intermediate_size=40,
        max_position_embeddings=16,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **sizes,
    )


def _bert_names(tensors: Tensors) -> dict[str, Tensor]:
    return {renamed(name, BERT): tensor for name, tensor in tensors.items()}


def _gpt2(**sizes: Any) -> GPT2Config:
    return GPT2Config(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, **sizes)


def _gpt2_names(tensors: Tensors) -> dict[str, Tensor]:
    """Their linear layers keep their weights the other way round."""
    made = {}
    for name, tensor in tensors.items():
        turned = ".h." in name and name.endswith("weight") and tensor.dim() == 2
        made[name.removeprefix("transformer.")] = tensor.T if turned else tensor
    return made


def _vit(**sizes: Any) -> ViTConfig:
    return ViTConfig(
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        layer_norm_eps=1e-6,
        **sizes,
    )


def _vit_names(tensors: Tensors) -> dict[str, Tensor]:
    """Query, key and value are one layer here."""
    made = {renamed(name, VIT): tensor for name, tensor in tensors.items()}
    for name in [name for name in made if ".attention.q." in name]:
        parts = [made.pop(name.replace(".q.", f".{part}.")) for part in "qkv"]
        made[name.replace(".q.", ".qkv.")] = torch.cat(parts)
    return made


def _dtype(model: nn.Module) -> torch.dtype:
    return next(model.parameters()).dtype


def _shapes(model: nn.Module, translate: Any = dict) -> dict[str, torch.Size]:
    return {name: t.shape for name, t in translate(model.state_dict()).items()}
