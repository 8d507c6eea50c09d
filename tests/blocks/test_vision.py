"""The blocks of images against the same written with torch alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.blocks.used import Function, check_same, used

IMAGE = {"x": "float[B, 8, H, W]"}


def _conv_norm_act(
    before: int, after: int, act: nn.Module, **options: Any
) -> nn.Module:
    conv = nn.Conv2d(before, after, bias=False, **options)
    return nn.Sequential(conv, nn.BatchNorm2d(after, eps=1e-3, momentum=0.01), act)


class SqueezeExcite(nn.Module):
    """Means of the channels, two layers, a gate."""

    def __init__(self, channels: int, squeezed: int, gate: nn.Module) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.gate = gate

    def forward(self, x: Tensor) -> Tensor:
        squeezed = F.relu(self.fc1(x.mean((2, 3), keepdim=True)))
        gated: Tensor = x * self.gate(self.fc2(squeezed))
        return gated


NORM = {"eps": 1e-3, "momentum": 0.01}


def test_conv_norm_act(tmp_path: Path) -> None:
    arguments = {"out_channels": 6, "kernel_size": 5, "stride": 2, "dilation": 2}
    ours = used(tmp_path, "vision", "ConvNormAct", IMAGE, **arguments, **NORM)
    theirs = _conv_norm_act(
        8, 6, nn.ReLU(), kernel_size=5, stride=2, padding=4, dilation=2
    )
    check_same(ours, theirs, torch.randn(3, 8, 9, 10))


def test_conv_norm_act_of_another_activation(tmp_path: Path) -> None:
    arguments = {"out_channels": 8, "groups": 8, "activation": "hardswish"}
    ours = used(tmp_path, "vision", "ConvNormAct", IMAGE, **arguments, **NORM)
    theirs = _conv_norm_act(8, 8, nn.Hardswish(), kernel_size=3, padding=1, groups=8)
    check_same(ours, theirs, torch.randn(3, 8, 5, 6))


@pytest.mark.parametrize("gate", ["sigmoid", "hardsigmoid"])
def test_squeeze_excite(tmp_path: Path, gate: str) -> None:
    arguments = {"squeeze_channels": 3, "gate": gate}
    ours = used(tmp_path, "vision", "SqueezeExcite", IMAGE, **arguments)
    modules = {"sigmoid": nn.Sigmoid(), "hardsigmoid": nn.Hardsigmoid()}
    check_same(ours, SqueezeExcite(8, 3, modules[gate]), torch.randn(3, 8, 5, 6))


def _inverted(expanded: int, after: int, squeezed: int, stride: int) -> nn.Module:
    layers = []
    if expanded != 8:
        layers.append(_conv_norm_act(8, expanded, nn.ReLU6(), kernel_size=1))
    options = {"kernel_size": 5, "padding": 2, "stride": stride, "groups": expanded}
    layers.append(_conv_norm_act(expanded, expanded, nn.ReLU6(), **options))
    if squeezed:
        layers.append(SqueezeExcite(expanded, squeezed, nn.Sigmoid()))
    layers.append(_conv_norm_act(expanded, after, nn.Identity(), kernel_size=1))
    return nn.Sequential(*layers)


@pytest.mark.parametrize(
    ("expanded", "after", "squeezed", "stride"),
    [(8, 8, 0, 1), (16, 8, 4, 1), (16, 12, 4, 1), (16, 8, 0, 2)],
)
def test_inverted_residual(
    tmp_path: Path, expanded: int, after: int, squeezed: int, stride: int
) -> None:
    ours = used(
        tmp_path,
        "vision",
        "InvertedResidual",
        IMAGE,
        expanded_channels=expanded,
        out_channels=after,
        kernel_size=5,
        stride=stride,
        squeeze_channels=squeezed,
        **NORM,
    )
    block = _inverted(expanded, after, squeezed, stride)
    theirs = block
    if stride == 1 and after == 8:
        theirs = Function(lambda m, x: m.block(x) + x, block=block)
    check_same(ours, theirs, torch.randn(3, 8, 7, 8))


@pytest.mark.parametrize(("after", "left"), [(8, True), (12, False)])
def test_a_block_that_is_dropped_leaves_its_input(
    tmp_path: Path, after: int, left: bool
) -> None:
    arguments = {"expanded_channels": 16, "out_channels": after, "drop_rate": 1.0}
    block = used(tmp_path, "vision", "InvertedResidual", IMAGE, **arguments)
    x = torch.randn(3, 8, 5, 5)
    assert torch.equal(block(x), x) == left


def test_layer_scale(tmp_path: Path) -> None:
    ours = used(tmp_path, "vision", "LayerScale", {"x": "float[B, T, 6]"}, value=0.1)
    assert torch.equal(ours.state_dict()["layer.gamma"], torch.full((6,), 0.1))
    theirs = Function(lambda m, x: x * m.gamma.weight)
    theirs.gamma = nn.ParameterDict({"weight": torch.zeros(6)})
    check_same(ours, theirs, torch.randn(2, 3, 6))


def test_patch_embedding(tmp_path: Path) -> None:
    inputs = {"image": "float[B, 3, 8, 13]"}
    ours = used(tmp_path, "vision", "PatchEmbedding", inputs, width=10, patch=4)
    theirs = Function(
        lambda m, x: m.proj(x).flatten(2).transpose(1, 2), proj=nn.Conv2d(3, 10, 4, 4)
    )
    check_same(ours, theirs, torch.randn(2, 3, 8, 13))
