"""The blocks of text against the same written with torch alone."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from tests.blocks.used import Function, check_same, used

INPUT = {"x": "float[B, T, 6]"}


def _gated(bias: bool = False) -> dict[str, nn.Module]:
    return {
        "gate": nn.Linear(6, 10, bias),
        "up": nn.Linear(6, 10, bias),
        "down": nn.Linear(10, 6, bias),
    }


def test_swiglu(tmp_path: Path) -> None:
    ours = used(tmp_path, "language", "SwiGLU", INPUT, hidden=10)
    theirs = Function(lambda m, x: m.down(F.silu(m.gate(x)) * m.up(x)), **_gated())
    check_same(ours, theirs, torch.randn(2, 3, 6))


def test_geglu(tmp_path: Path) -> None:
    arguments = {"hidden": 10, "bias": True, "approximate": "tanh"}
    ours = used(tmp_path, "language", "GeGLU", INPUT, **arguments)
    theirs = Function(
        lambda m, x: m.down(F.gelu(m.gate(x), approximate="tanh") * m.up(x)),
        **_gated(True),
    )
    check_same(ours, theirs, torch.randn(2, 3, 6))


def test_scaled_embedding(tmp_path: Path) -> None:
    inputs = {"tokens": "int[B, T]"}
    ours = used(tmp_path, "language", "ScaledEmbedding", inputs, vocab=7, width=6)
    theirs = Function(lambda m, x: m.table(x) * math.sqrt(6), table=nn.Embedding(7, 6))
    check_same(ours, theirs, torch.randint(7, (2, 5)))
