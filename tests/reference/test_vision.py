"""Networks of images as transformers has them: the same numbers from the same weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    ConvNextConfig,
    ConvNextForImageClassification,
    DeiTConfig,
    DeiTForImageClassification,
    DeiTForImageClassificationWithTeacher,
    Dinov2Config,
    Dinov2ForImageClassification,
    DPTConfig,
    DPTForDepthEstimation,
    PretrainedConfig,
    ResNetConfig,
    ResNetForImageClassification,
    SegformerConfig,
    SegformerForSemanticSegmentation,
    SwinConfig,
    SwinForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)

from runtime.load import build_on_meta
from tests.reference.equality import (
    check_equal,
    count,
    generated,
    translation,
)

Translate = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]

SMALL = {
    "image_size": 24,
    "patch_size": 8,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "num_labels": 11,
}
SAME = {
    "classes": 11,
    "size": 24,
    "patch": 8,
    "width": 24,
    "depth": 2,
    "heads": 3,
    "hidden": 40,
}


def test_resnet50_equals_transformers() -> None:
    _check_images(
        "resnet50",
        {"width": 4, "depths": (2, 2, 1, 2), "classes": 11},
        ResNetForImageClassification(_resnet(4, [2, 2, 1, 2], classes=11)),
        torch.randn(3, 3, 75, 67),
    )


def test_resnet50_counts_as_transformers() -> None:
    config = _resnet(64, [3, 4, 6, 3], 1000)
    _check_counts("resnet50", ResNetForImageClassification, config, 25_557_032)


def test_vit_equals_transformers() -> None:
    theirs = ViTForImageClassification(_quiet(ViTConfig, **SMALL))
    _check_images("vit", SAME, theirs, torch.randn(3, 3, 24, 24))


def test_vit_counts_as_transformers() -> None:
    config = _quiet(ViTConfig, num_labels=1000)
    _check_counts("vit", ViTForImageClassification, config, 86_567_656)


def test_deit_equals_transformers() -> None:
    theirs = DeiTForImageClassificationWithTeacher(_quiet(DeiTConfig, **SMALL))
    image = torch.randn(3, 3, 24, 24)
    check_equal(
        generated("deit")(**SAME),
        theirs,
        translation("deit", **SAME),
        lambda model: model(image.to(_dtype(model))),
        lambda model: tuple(model(pixel_values=image.to(_dtype(model))).to_tuple()),
    )


def test_deit_without_a_teacher_equals_transformers() -> None:
    theirs = DeiTForImageClassification(_quiet(DeiTConfig, **SMALL))
    settings = {**SAME, "distilled": False}
    translate = translation("deit", **settings)
    image = torch.randn(3, 3, 24, 24)
    check_equal(
        generated("deit")(**settings),
        theirs,
        lambda tensors: translate({_with_teacher(n): t for n, t in tensors.items()}),
        lambda model: model(image.to(_dtype(model)))[:1],
        lambda model: (model(pixel_values=image.to(_dtype(model))).logits,),
    )


def test_deit_counts_as_transformers() -> None:
    config = _quiet(DeiTConfig, num_labels=1000)
    _check_counts("deit", DeiTForImageClassificationWithTeacher, config, 87_338_192)


@pytest.mark.parametrize("sides", [(67, 75), (32, 40)], ids=str)
def test_convnext_equals_transformers(sides: tuple[int, int]) -> None:
    widths, depths = [4, 8, 12, 16], [2, 1, 2, 1]
    config = ConvNextConfig(hidden_sizes=widths, depths=depths, num_labels=11)
    _check_images(
        "convnext_tiny",
        {"widths": tuple(widths), "depths": tuple(depths), "classes": 11},
        ConvNextForImageClassification(config),
        torch.randn(3, 3, *sides),
    )


def test_convnext_counts_as_transformers() -> None:
    config = ConvNextConfig(num_labels=1000)
    _check_counts("convnext_tiny", ConvNextForImageClassification, config, 28_589_128)


@pytest.mark.parametrize("window", [2, 3])
def test_swin_equals_transformers(window: int) -> None:
    """In the last stage one window is all there is, and nothing is shifted."""
    depths, heads = [2, 2, 3, 2], [1, 2, 2, 3]
    config = _quiet(
        SwinConfig,
        image_size=16 * window,
        patch_size=2,
        embed_dim=6,
        depths=depths,
        num_heads=heads,
        window_size=window,
        drop_path_rate=0.0,
        layer_norm_eps=1e-5,
        num_labels=11,
    )
    settings = {
        "classes": 11,
        "size": 16 * window,
        "patch": 2,
        "width": 6,
        "depths": tuple(depths),
        "heads": tuple(heads),
        "window": window,
    }
    image = torch.randn(2, 3, 16 * window, 16 * window)
    _check_images("swin_t", settings, SwinForImageClassification(config), image)


def test_swin_counts_as_transformers() -> None:
    config = SwinConfig(num_labels=1000)
    _check_counts("swin_t", SwinForImageClassification, config, 28_288_354)


def test_dinov2_equals_transformers() -> None:
    sizes = {key: SMALL[key] for key in SMALL.keys() - {"intermediate_size"}}
    config = _quiet(Dinov2Config, mlp_ratio=2, use_mask_token=False, **sizes)
    settings = {**SAME, "hidden": 48}
    image = torch.randn(3, 3, 24, 24)
    check_equal(
        generated("dinov2")(**settings),
        Dinov2ForImageClassification(config),
        translation("dinov2", **settings),
        lambda model: model(image.to(_dtype(model))),
        lambda model: _classes_and_states(model, image.to(_dtype(model))),
    )


def test_dinov2_counts_as_transformers() -> None:
    """Theirs also hold a mask's token, which only training needs."""
    config = Dinov2Config(image_size=518, num_labels=1000, use_mask_token=False)
    _check_counts("dinov2", Dinov2ForImageClassification, config, 88_116_712)


def test_dpt_equals_transformers() -> None:
    sizes = {
        "image_size": 32,
        "patch_size": 8,
        "hidden_size": 12,
        "num_hidden_layers": 8,
        "num_attention_heads": 3,
        "intermediate_size": 20,
        "backbone_out_indices": [1, 3, 5, 7],
        "neck_hidden_sizes": [4, 6, 8, 10],
        "fusion_hidden_size": 8,
    }
    theirs = _without_unread(
        DPTForDepthEstimation(_quiet(DPTConfig, layer_norm_eps=1e-12, **sizes))
    )
    settings = {
        "size": 32,
        "patch": 8,
        "width": 12,
        "quarter": 2,
        "heads": 3,
        "hidden": 20,
        "widths": (4, 6, 8, 10),
        "features": 8,
    }
    image = torch.randn(2, 3, 32, 32)
    check_equal(
        generated("dpt")(**settings),
        theirs,
        translation("dpt", **settings),
        lambda model: (model(image.to(_dtype(model))),),
        lambda model: (model(image.to(_dtype(model))).predicted_depth,),
    )


def test_dpt_counts_as_transformers() -> None:
    theirs = _without_unread(build_on_meta(DPTForDepthEstimation, DPTConfig()))
    ours = build_on_meta(generated("dpt"))
    assert count(ours) == count(theirs) == 109_696_385
    assert _shapes(ours) == _shapes(theirs, translation("dpt"))


def _without_unread(model: Any) -> nn.Module:
    """Without the layers of DPT whose outputs nothing reads."""
    model.dpt.layernorm = nn.Identity()
    model.neck.fusion_stage.layers[0].residual_layer1 = nn.Identity()
    kept: nn.Module = model
    return kept


@pytest.mark.parametrize("sides", [(64, 96), (67, 75)], ids=str)
def test_segformer_equals_transformers(sides: tuple[int, int]) -> None:
    config = SegformerConfig(
        hidden_sizes=[6, 8, 12, 16],
        depths=[1, 2, 1, 1],
        num_attention_heads=[1, 2, 3, 4],
        decoder_hidden_size=10,
        classifier_dropout_prob=0.0,
        drop_path_rate=0.0,
        num_labels=11,
    )
    config._attn_implementation = "sdpa"
    settings = {
        "classes": 11,
        "widths": (6, 8, 12, 16),
        "depths": (1, 2, 1, 1),
        "heads": (1, 2, 3, 4),
        "features": 10,
        "dropout": 0.0,
        "drop_path": 0.0,
    }
    theirs = SegformerForSemanticSegmentation(config)
    _check_images("segformer", settings, theirs, torch.randn(2, 3, *sides))


def test_segformer_counts_as_transformers() -> None:
    config = SegformerConfig(num_labels=150)
    kind = SegformerForSemanticSegmentation
    _check_counts("segformer", kind, config, 3_752_694)


def _classes_and_states(model: Any, image: Tensor) -> tuple[Tensor, Tensor]:
    return model(image).logits, model.dinov2(image).last_hidden_state


def _check_images(
    spec: str, settings: dict[str, Any], theirs: nn.Module, image: Tensor
) -> None:
    """A classifier of images against transformers' own."""
    check_equal(
        generated(spec)(**settings),
        theirs,
        translation(spec, **settings),
        lambda model: (model(image.to(_dtype(model))),),
        lambda model: (model(pixel_values=image.to(_dtype(model))).logits,),
    )


def _check_counts(
    spec: str, kind: Callable[..., nn.Module], config: PretrainedConfig, parameters: int
) -> None:
    """The published size: as many parameters, all of the same names and shapes."""
    ours, theirs = build_on_meta(generated(spec)), build_on_meta(kind, config)
    assert count(ours) == count(theirs) == parameters
    assert _shapes(ours) == _shapes(theirs, translation(spec))


def _resnet(width: int, depths: list[int], classes: int) -> ResNetConfig:
    return ResNetConfig(
        embedding_size=width,
        hidden_sizes=[4 * width, 8 * width, 16 * width, 32 * width],
        depths=depths,
        layer_type="bottleneck",
        downsample_in_first_stage=False,
        num_labels=classes,  # type: ignore[call-arg]
    )


def _quiet(kind: Callable[..., Any], **sizes: Any) -> Any:
    """A configuration without dropout."""
    config = kind(
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **{"layer_norm_eps": 1e-6, **sizes},
    )
    config._attn_implementation = "sdpa"  # the eager one rounds to single precision
    return config


def _with_teacher(name: str) -> str:
    """The class token's head goes by another name where there are two heads."""
    return name.replace("classifier.", "cls_classifier.")


def _dtype(model: nn.Module) -> torch.dtype:
    return next(model.parameters()).dtype


def _shapes(model: nn.Module, translate: Translate = dict) -> dict[str, torch.Size]:
    return {name: t.shape for name, t in translate(model.state_dict()).items()}
