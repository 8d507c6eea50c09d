"""Networks of images as torchvision has them: the same numbers from the same weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models.densenet import DenseNet
from torchvision.models.efficientnet import EfficientNet, MBConvConfig
from torchvision.models.mobilenetv2 import MobileNetV2
from torchvision.models.mobilenetv3 import InvertedResidualConfig, MobileNetV3
from torchvision.models.regnet import BlockParams, RegNet
from torchvision.models.resnet import BasicBlock, ResNet
from torchvision.models.vgg import VGG, make_layers

from runtime.load import Uninitialised, build_on_meta
from tests.programs import classes
from tests.reference.equality import (
    check_equal,
    count,
    generated,
    inferred,
    shapes_of,
    translation,
)


def _deeplab(name: str, aux_loss: bool = True) -> nn.Module:
    """One of theirs, with its second classifier or without."""
    build: Callable[..., nn.Module] = getattr(models.segmentation, name)
    return build(weights_backbone=None, aux_loss=aux_loss)


FULL: list[tuple[str, str, Callable[..., nn.Module]]] = [
    ("alexnet", "", models.alexnet),
    ("deeplab_v3", "", partial(_deeplab, "deeplabv3_resnet50")),
    ("deeplab_v3", "resnet101", partial(_deeplab, "deeplabv3_resnet101")),
    ("deeplab_v3", "plain", partial(_deeplab, "deeplabv3_resnet50", False)),
    ("densenet121", "", models.densenet121),
    ("densenet121", "densenet161", models.densenet161),
    ("densenet121", "densenet169", models.densenet169),
    ("densenet121", "densenet201", models.densenet201),
    ("efficientnet_b0", "", models.efficientnet_b0),
    ("efficientnet_b0", "b1", models.efficientnet_b1),
    ("efficientnet_b0", "b4", models.efficientnet_b4),
    ("efficientnet_b0", "b7", models.efficientnet_b7),
    ("googlenet", "", partial(models.googlenet, init_weights=False)),
    ("inception_v3", "", partial(models.inception_v3, init_weights=False)),
    (
        "inception_v3",
        "plain",
        partial(models.inception_v3, aux_logits=False, init_weights=False),
    ),
    ("maxvit_t", "", models.maxvit_t),
    ("mnasnet", "", models.mnasnet1_0),
    ("mnasnet", "half", models.mnasnet0_5),
    ("mobilenet_v2", "", models.mobilenet_v2),
    ("mobilenet_v3", "", models.mobilenet_v3_large),
    ("mobilenet_v3", "small", models.mobilenet_v3_small),
    ("r3d_18", "", models.video.r3d_18),
    ("regnet_y_400mf", "", models.regnet_y_400mf),
    ("regnet_y_400mf", "mf800", models.regnet_y_800mf),
    ("regnet_y_400mf", "gf1_6", models.regnet_y_1_6gf),
    ("regnet_y_400mf", "gf3_2", models.regnet_y_3_2gf),
    ("resnet18", "", models.resnet18),
    ("resnet18", "resnet34", models.resnet34),
    ("shufflenet_v2", "", models.shufflenet_v2_x1_0),
    ("shufflenet_v2", "x0_5", models.shufflenet_v2_x0_5),
    ("shufflenet_v2", "x1_5", models.shufflenet_v2_x1_5),
    ("shufflenet_v2", "x2_0", models.shufflenet_v2_x2_0),
    ("squeezenet", "", models.squeezenet1_1),
    ("vgg16", "", models.vgg16),
    ("vgg16", "vgg11", models.vgg11),
    ("vgg16", "vgg13", models.vgg13),
    ("vgg16", "vgg19", models.vgg19),
]


@pytest.mark.parametrize(("spec", "variant", "builder"), FULL)
def test_full_size(spec: str, variant: str, builder: Callable[..., nn.Module]) -> None:
    """As many parameters, all of the same names and shapes."""
    theirs = _sized(builder)
    parameters, shapes = inferred(spec, variant)
    beside = _beside(theirs) if spec == "googlenet" else 0
    assert parameters == count(theirs) - beside
    translate = translation(spec, variant=variant)
    assert translate.left_over(theirs.state_dict()) == []
    assert shapes == shapes_of(translate(theirs.state_dict()))


def _sized(builder: Callable[..., nn.Module]) -> nn.Module:
    """The shapes alone where that is possible: RegNet computes its widths with torch."""
    if "regnet" not in getattr(builder, "__name__", ""):
        return build_on_meta(builder)
    with Uninitialised():
        return builder()


def _beside(model: nn.Module) -> int:
    """The parameters of GoogLeNet's classifiers for training alone, which the spec leaves out."""
    parts = [child for name, child in model.named_children() if name.startswith("aux")]
    return sum(count(part) for part in parts)


def test_alexnet() -> None:
    theirs = build_on_meta(models.AlexNet, num_classes=7, dropout=0.0).to_empty(
        device="cpu"
    )
    theirs.avgpool = nn.AdaptiveAvgPool2d(2)
    linear = [nn.Linear(256 * 2 * 2, 12), nn.Linear(12, 12), nn.Linear(12, 7)]
    for place, layer in zip((1, 4, 6), linear, strict=True):  # theirs are large
        theirs.classifier[place] = layer
    settings = {"classes": 7, "hidden": 12, "size": 2, "dropout": 0.0}
    _check("alexnet", settings, theirs, torch.randn(2, 3, 83, 71))


def test_densenet() -> None:
    theirs = DenseNet(4, (2, 1, 2, 2), num_init_features=8, num_classes=7)
    settings = {"growth": 4, "depths": (2, 1, 2, 2), "widths": (8, 8, 6, 7)}
    _check("densenet121", {**settings, "classes": 7}, theirs, torch.randn(3, 3, 75, 67))


def test_efficientnet() -> None:
    rows = [(1, 3, 1, 8, 8, 2), (3, 5, 2, 8, 16, 1), (6, 3, 1, 16, 16, 2)]
    blocks = [MBConvConfig(*row) for row in rows]
    theirs = EfficientNet(blocks, 0.0, stochastic_depth_prob=0.0, num_classes=7)
    settings = {
        "stem": 8,
        "widths": (8, 16, 16),
        "depths": (2, 1, 2),
        "ratios": (1, 3, 6),
        "kernels": (3, 5, 3),
        "strides": (1, 2, 1),
        "dropout": 0.0,
        "drop_path": 0.0,
    }
    image = torch.randn(3, 3, 35, 43)
    _check("efficientnet_b0", {**settings, "classes": 7}, theirs, image)


@pytest.mark.parametrize("variant", ["", "b1"])
def test_efficientnet_leaves_out_as_many_blocks(variant: str) -> None:
    ours = build_on_meta(classes("efficientnet_b0", variant)[""])
    theirs = build_on_meta(getattr(models, f"efficientnet_{variant or 'b0'}"))
    rates = [part.p for part in ours.modules() if hasattr(part, "mode")]
    kept = [part for part in theirs.modules() if getattr(part, "use_res_connect", 0)]
    assert rates == pytest.approx([part.stochastic_depth.p for part in kept])


def test_googlenet() -> None:
    theirs = models.GoogLeNet(7, aux_logits=False, init_weights=False, dropout=0.0)
    settings = {"classes": 7, "dropout": 0.0}
    _check("googlenet", settings, theirs, torch.randn(2, 3, 47, 47))


def test_inception_v3() -> None:
    """In training two classifiers; in evaluation theirs leaves one out."""
    theirs = _narrowed(
        models.inception_v3, 16, num_classes=7, init_weights=False, dropout=0.0
    )
    settings = {
        "classes": 7,
        "dropout": 0.0,
        "stem": (2, 2, 4, 5, 12),
        "mixed_5": (4, 3, 4, 4, 6),
        "pools": (2, 4, 4),
        "mixed_6a": (24, 4, 6),
        "mixed_6": 12,
        "factorized": (8, 10, 10, 12),
        "mixed_7a": (12, 20),
        "mixed_7": (20, 24, 28, 12),
        "auxiliary": (8, 48),
    }
    ours = generated("inception_v3")(**settings)
    image = torch.randn(2, 3, 299, 299)

    def run(model: nn.Module) -> tuple[torch.Tensor, ...]:
        given = model(image.to(next(model.parameters()).dtype))
        return given if isinstance(given, tuple) else (given,)

    translate = translation("inception_v3", **settings)
    check_equal(ours, theirs, translate, run, run, modes=["train"])
    torch.testing.assert_close(run(ours.eval())[0], run(theirs.eval())[0])


def test_mnasnet() -> None:
    theirs = models.MNASNet(0.25, num_classes=7, dropout=0.0)
    settings = {"stem": (8, 8), "widths": (8, 16, 24, 24, 48, 80), "dropout": 0.0}
    _check("mnasnet", {**settings, "classes": 7}, theirs, torch.randn(3, 3, 67, 75))


def test_mobilenet_v2() -> None:
    rows = [[1, 8, 1, 1], [6, 16, 2, 2], [6, 24, 1, 2]]
    theirs = MobileNetV2(7, inverted_residual_setting=rows, dropout=0.0)
    settings = {"widths": (8, 16, 16, 24), "strides": (1, 2, 1, 2), "dropout": 0.0}
    _check(
        "mobilenet_v2", {**settings, "classes": 7}, theirs, torch.randn(3, 3, 35, 43)
    )


def test_mobilenet_v3() -> None:
    rows = [
        (16, 3, 16, 16, False, "RE", 1),
        (16, 3, 24, 16, True, "RE", 1),
        (16, 5, 32, 24, True, "HS", 2),
        (24, 5, 40, 24, False, "HS", 1),
    ]
    blocks = [InvertedResidualConfig(*row, 1, 1.0) for row in rows]
    theirs = MobileNetV3(blocks, last_channel=10, num_classes=7, dropout=0.0)
    settings = {
        "kernels": (3, 3, 5, 5),
        "strides": (1, 1, 2, 1),
        "expanded": (16, 24, 32, 40),
        "squeezed": (0, 8, 8, 0),
        "widths": (16, 16, 24, 24),
        "relus": 2,
        "hidden": 10,
        "dropout": 0.0,
    }
    _check(
        "mobilenet_v3", {**settings, "classes": 7}, theirs, torch.randn(3, 3, 35, 43)
    )


def test_regnet() -> None:
    sizes = BlockParams([1, 2, 1, 1], [8, 8, 12, 16], [4] * 4, [1.0] * 4, [2] * 4, 0.25)
    theirs = RegNet(sizes, num_classes=7, stem_width=8)
    settings = {"stem": 8, "widths": (8, 8, 12, 16), "depths": (1, 2, 1, 1)}
    settings |= {"group_width": 4, "classes": 7}
    _check("regnet_y_400mf", settings, theirs, torch.randn(3, 3, 67, 75))


def test_resnet18() -> None:
    theirs = ResNet(BasicBlock, [1, 2, 1, 1], num_classes=7)
    settings = {"depths": (1, 2, 1, 1), "classes": 7}
    _check("resnet18", settings, theirs, torch.randn(2, 3, 39, 43))


def test_deeplab_v3() -> None:
    build = models.segmentation.deeplabv3_resnet50
    theirs = _narrowed(build, 16, weights_backbone=None, num_classes=7, aux_loss=True)
    for part in theirs.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    settings = {"width": 4, "features": 16, "classes": 7}
    settings |= {"dropout": 0.0, "auxiliary_dropout": 0.0}
    image = torch.randn(3, 3, 43, 38)

    def run(model: nn.Module) -> tuple[torch.Tensor, ...]:
        given = model(image.to(next(model.parameters()).dtype))
        return given if isinstance(given, tuple) else (given["out"], given["aux"])

    ours = generated("deeplab_v3")(**settings)
    check_equal(ours, theirs, translation("deeplab_v3", **settings), run, run)


@pytest.mark.parametrize("side", [48, 96])
def test_maxvit(side: int) -> None:
    theirs = models.MaxVit(
        (side, side), 6, 3, [8, 16], [1, 2], 4, stochastic_depth_prob=0.0, num_classes=7
    )
    settings = {"stem": 6, "window": 3, "widths": (8, 16), "depths": (1, 2)}
    settings |= {"head_dim": 4, "drop_path": 0.0, "classes": 7}
    image = torch.randn(2, 3, side, side)

    def run(model: nn.Module) -> tuple[torch.Tensor]:
        return (model(image.to(next(model.parameters()).dtype)),)

    ours = generated("maxvit_t")(**settings)
    check_equal(ours, theirs, translation("maxvit_t", size=side, **settings), run, run)


def test_r3d_18() -> None:
    theirs = _narrowed(models.video.r3d_18, 16, num_classes=7)
    settings = {"width": 4, "classes": 7}
    _check("r3d_18", settings, theirs, torch.randn(2, 3, 9, 35, 38))


def test_shufflenet_v2() -> None:
    theirs = models.ShuffleNetV2([2, 3, 2], [6, 8, 12, 16, 10], num_classes=7)
    settings = {"stem": 6, "halves": (4, 6, 8), "depths": (2, 3, 2), "last": 10}
    _check(
        "shufflenet_v2", {**settings, "classes": 7}, theirs, torch.randn(3, 3, 67, 75)
    )


def test_squeezenet() -> None:
    theirs = models.SqueezeNet("1_1", num_classes=7, dropout=0.0)
    settings = {"classes": 7, "dropout": 0.0}
    _check("squeezenet", settings, theirs, torch.randn(2, 3, 54, 54))


@pytest.mark.parametrize("depths", [(1, 2, 3, 1, 2), (1, 1, 1, 1, 1)])
def test_vgg(depths: tuple[int, ...]) -> None:
    widths = (4, 6, 8, 10, 12)
    rows = [
        [width] * depth + ["M"] for width, depth in zip(widths, depths, strict=True)
    ]
    features = make_layers([item for row in rows for item in row])
    theirs = build_on_meta(VGG, features, init_weights=False, dropout=0.0)
    linear = [nn.Linear(12 * 7 * 7, 14), nn.Linear(14, 14), nn.Linear(14, 7)]
    for place, layer in zip((0, 3, 6), linear, strict=True):
        theirs.classifier[place] = layer
    settings = {"widths": widths, "depths": depths, "hidden": 14}
    image = torch.randn(2, 3, 67, 75)
    _check("vgg16", {**settings, "classes": 7, "dropout": 0.0}, theirs, image)


def _check(
    spec: str, settings: dict[str, Any], theirs: nn.Module, image: torch.Tensor
) -> None:
    def run(model: nn.Module) -> tuple[torch.Tensor]:
        return (model(image.to(next(model.parameters()).dtype)),)

    ours = generated(spec)(**settings)
    check_equal(ours, theirs, translation(spec, **settings), run, run)


def _narrowed(
    build: Callable[..., nn.Module], factor: int, **options: Any
) -> nn.Module:
    """A network with so many times fewer channels everywhere but at its ends."""

    def fewer(size: int) -> int:
        return size if size % factor else size // factor

    model = build_on_meta(build, **options)
    for parent in list(model.modules()):
        for name, part in parent.named_children():
            if isinstance(part, nn.Conv2d | nn.Conv3d):
                kind = nn.Conv2d if isinstance(part, nn.Conv2d) else nn.Conv3d
                made: nn.Module = kind(
                    fewer(part.in_channels),
                    fewer(part.out_channels),
                    part.kernel_size,
                    part.stride,
                    part.padding,
                    part.dilation,
                    bias=part.bias is not None,
                )
            elif isinstance(part, nn.BatchNorm2d | nn.BatchNorm3d):
                made = type(part)(fewer(part.num_features), part.eps, part.momentum)
            elif isinstance(part, nn.Linear):
                made = nn.Linear(fewer(part.in_features), fewer(part.out_features))
            else:
                continue
            setattr(parent, name, made)
    return model
