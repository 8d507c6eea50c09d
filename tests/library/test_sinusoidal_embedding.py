"""The published formulas of sines and cosines of numbers."""

from __future__ import annotations

import math

import pytest
import torch

from compiler.library.sinusoidal_embedding import SinusoidalEmbedding
from compiler.library.sinusoidal_encoding import SinusoidalEncoding


@pytest.mark.parametrize("order", ["sin cos", "cos sin", "pairs"])
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_formula(order: str, shift: float) -> None:
    """Half of the width, less the shift, is what the frequencies are spread over."""
    numbers = torch.tensor([0, 3, 999])
    found = SinusoidalEmbedding(8, 100.0, shift, 0.5, order)(numbers)
    for row, number in zip(found, numbers.tolist(), strict=True):
        angles = [0.5 * number / 100 ** (i / (4 - shift)) for i in range(4)]
        sin, cos = list(map(math.sin, angles)), list(map(math.cos, angles))
        pairs = [one for pair in zip(sin, cos, strict=True) for one in pair]
        wanted = {"sin cos": [*sin, *cos], "cos sin": [*cos, *sin], "pairs": pairs}
        assert row.tolist() == pytest.approx(wanted[order], abs=1e-4)


def test_of_positions_it_is_their_encoding() -> None:
    positions = torch.arange(7.0, dtype=torch.float64)
    found = SinusoidalEmbedding(6, order="pairs")(positions)
    encoding = SinusoidalEncoding(6)(torch.zeros(1, 7, 1, dtype=torch.float64))
    assert torch.allclose(found, encoding)


def test_takes_the_dtype_of_floats_and_counts_in_float32() -> None:
    numbers = torch.tensor([3.0, 768.0], dtype=torch.bfloat16)
    found = SinusoidalEmbedding(4)(numbers)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, SinusoidalEmbedding(4)(numbers.float()).bfloat16())


def test_width_is_even() -> None:
    with pytest.raises(ValueError, match="must be even, and is 3"):
        SinusoidalEmbedding(3)
