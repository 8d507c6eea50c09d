"""The blocks of signals and series against the same written with torch alone."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from tests.blocks.used import Function, check_same, used

SIGNAL = {"x": "float[B, 6, T]"}


def test_causal_conv1d(tmp_path: Path) -> None:
    arguments = {"out_channels": 4, "kernel_size": 3, "dilation": 2}
    ours = used(tmp_path, "temporal", "CausalConv1d", SIGNAL, **arguments)
    theirs = Function(
        lambda m, x: m.conv(F.pad(x, (4, 0))), conv=nn.Conv1d(6, 4, 3, dilation=2)
    )
    check_same(ours, theirs, torch.randn(2, 6, 9))


def test_causal_conv1d_sees_no_later_place(tmp_path: Path) -> None:
    conv = used(
        tmp_path, "temporal", "CausalConv1d", SIGNAL, out_channels=4, dilation=3
    )
    x = torch.randn(1, 6, 9)
    changed = x.clone()
    changed[..., 5:] = 0
    assert torch.equal(conv(x)[..., :5], conv(changed)[..., :5])


def test_gated_activation(tmp_path: Path) -> None:
    gated = used(tmp_path, "temporal", "GatedActivation", SIGNAL)
    x = torch.randn(2, 6, 5)
    assert torch.equal(gated(x), torch.tanh(x[:, :3]) * torch.sigmoid(x[:, 3:]))
