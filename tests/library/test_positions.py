"""Modules of positions, exported with any length.

That they compile to one graph is tested with networks: tests/ops/test_exported.py.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from compiler.library.alibi import Alibi
from compiler.library.explicit_attention import explicit_attention
from compiler.library.relative_position_bias import RelativePositionBias
from compiler.library.rotary_embedding import RotaryEmbedding
from compiler.library.rotate import rotate
from compiler.library.rotate_interleaved import rotate_interleaved
from compiler.library.scaled_rotary_embedding import scaled_rotary_embedding
from compiler.library.stochastic_depth import StochasticDepth


class Turned(nn.Module):
    """Both kinds of rotation by given angles, then attention with capped scores."""

    def __init__(self, rotary: RotaryEmbedding) -> None:
        super().__init__()
        self.rotary = rotary
        self.drop_path = StochasticDepth(0.5)

    def forward(self, x: Tensor) -> Tensor:
        cos, sin = self.rotary(x)
        turned = rotate(x, cos, sin) + rotate_interleaved(x, cos, sin)
        heads = torch.unflatten(self.drop_path(turned), -1, (2, -1)).transpose(1, 2)
        return explicit_attention(heads, heads, heads, softcap=2.0, is_causal=True)


def scaled(scaling: str) -> Turned:
    rotary = scaled_rotary_embedding(
        4, scaling=scaling, factor=4.0, original_max_position_embeddings=6
    )
    return Turned(rotary)


MODULES = {
    "rotary": Turned(RotaryEmbedding(4)),
    "dynamic": scaled("dynamic"),
    "yarn": scaled("yarn"),
    "llama3": scaled("llama3"),
    "alibi": Alibi(3),
    "bias": RelativePositionBias(3),
}


@pytest.mark.parametrize("name", MODULES)
def test_exports_with_any_batch_and_length(name: str) -> None:
    module = MODULES[name].eval()
    x = torch.randn(2, 7, 8)
    auto = name in ("alibi", "bias")
    batch = torch.export.Dim.AUTO if auto else torch.export.Dim("B")
    shapes = ({0: batch, 1: torch.export.Dim("T")},)
    program = torch.export.export(module, (x,), dynamic_shapes=shapes, strict=False)
    for size, length in [(3, 12), (1, 1)]:
        x = torch.randn(size, length, 8)
        torch.testing.assert_close(program.module()(x), module(x))


def test_show_their_arguments() -> None:
    assert repr(RotaryEmbedding(4)) == "RotaryEmbedding(4, base=10000.0)"
    for scaling in ("linear", "dynamic", "llama3", "yarn"):
        shown = repr(scaled_rotary_embedding(4, scaling=scaling, factor=2.0))
        kind = f"{scaling.capitalize()}RotaryEmbedding"
        assert shown == f"{kind}(4, base=10000.0, factor=2.0)"
    assert repr(Alibi(3)) == "Alibi(3, dim=1)"
    assert repr(RelativePositionBias(3)) == "RelativePositionBias(3, 32, 128, True)"
