"""DETR as transformers has it, with its own ResNet."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import DetrConfig, DetrForObjectDetection, ResNetConfig

from runtime.load import build_on_meta
from tests.reference.equality import (
    Outputs,
    check_equal,
    count,
    generated,
    inferred,
    shapes_of,
    translation,
)

SMALL: dict[str, Any] = {
    "classes": 6,
    "queries": 5,
    "planes": 8,
    "depths": (1, 2, 1, 1),
    "width": 16,
    "hidden": 24,
    "depth": 2,
    "heads": 4,
    "dropout": 0.0,
}


def _backbone(planes: int, depths: list[int]) -> ResNetConfig:
    return ResNetConfig(
        embedding_size=planes,
        hidden_sizes=[4 * planes, 8 * planes, 16 * planes, 32 * planes],
        depths=depths,
        out_features=["stage4"],
    )


def _sizes(**sizes: Any) -> dict[str, Any]:
    return {
        f"{part}_{name}": value
        for name, value in sizes.items()
        for part in ("encoder", "decoder")
    }


@pytest.mark.parametrize("sides", [(64, 96), (65, 70)])
def test_detr_equals_transformers(sides: tuple[int, int]) -> None:
    config = DetrConfig(
        backbone_config=_backbone(8, [1, 2, 1, 1]),
        d_model=16,
        num_queries=5,
        num_labels=6,
        dropout=0.0,
        **_sizes(layers=2, attention_heads=4, ffn_dim=24),
    )
    theirs = DetrForObjectDetection(config)
    theirs.requires_grad_(True)  # they freeze the first layers
    images, mask = torch.randn(2, 3, *sides), torch.ones(2, *sides, dtype=torch.bool)
    mask[1, -30:] = False
    mask[1, :, -20:] = False

    def run(model: nn.Module) -> Outputs:
        given: tuple[Tensor, Tensor] = model(_like(model, images), mask)
        return given

    def run_theirs(model: nn.Module) -> Outputs:
        given = model(pixel_values=_like(model, images), pixel_mask=mask.long())
        return given.logits, given.pred_boxes

    translate = translation("detr", **SMALL)
    check_equal(generated("detr")(**SMALL), theirs, translate, run, run_theirs)


def _like(model: nn.Module, images: Tensor) -> Tensor:
    return images.to(next(model.parameters()).dtype)


@pytest.mark.parametrize(
    ("variant", "depths", "parameters"),
    [("", [3, 4, 6, 3], 41_524_768), ("resnet101", [3, 4, 23, 3], 60_464_672)],
)
def test_detr_counts_as_transformers(
    variant: str, depths: list[int], parameters: int
) -> None:
    config = DetrConfig(backbone_config=_backbone(64, depths), num_labels=91)
    theirs = build_on_meta(lambda: DetrForObjectDetection(config))
    found, shapes = inferred("detr", variant)
    assert found == count(theirs) == parameters
    named = translation("detr", variant=variant)(theirs.state_dict())
    assert shapes == shapes_of(named)
