"""The published formula, and what surrounds it."""

from __future__ import annotations

import math

import pytest
import torch

from compiler.library.sinusoidal_encoding import SinusoidalEncoding


@pytest.mark.parametrize("width", [1, 2, 5, 8])
def test_formula(width: int) -> None:
    found = SinusoidalEncoding(width)(torch.zeros(2, 6, dtype=torch.int64))
    for t in range(6):
        for i in range(width):
            angle = t / 10000 ** ((i - i % 2) / width)
            wanted = math.cos(angle) if i % 2 else math.sin(angle)
            assert found[t, i].item() == pytest.approx(wanted, abs=1e-6)


def test_base_and_dim() -> None:
    found = SinusoidalEncoding(2, base=7.0, dim=-1)(torch.zeros(3, 4))
    assert torch.allclose(found[:, 0], torch.arange(4.0).sin())


def test_takes_the_dtype_of_floats_and_counts_in_float32() -> None:
    encoding = SinusoidalEncoding(4)
    found = encoding(torch.zeros(1, 3000, 4, dtype=torch.bfloat16))
    exact = encoding(torch.zeros(1, 3000, 4))
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, exact.bfloat16())


def test_is_as_exact_as_double_precision() -> None:
    found = SinusoidalEncoding(4)(torch.zeros(1, 3000, 4, dtype=torch.float64))
    assert found[2999, 2].item() == pytest.approx(math.sin(29.99), abs=1e-12)


def test_learns_and_stores_nothing() -> None:
    assert not SinusoidalEncoding(4).state_dict()


def test_exports_with_any_length() -> None:
    time = torch.export.Dim("T")
    tokens = torch.zeros(2, 5, dtype=torch.int64)
    exported = torch.export.export(
        SinusoidalEncoding(4), (tokens,), dynamic_shapes=({1: time},)
    )
    longer = torch.zeros(2, 9, dtype=torch.int64)
    assert torch.equal(exported.module()(longer), SinusoidalEncoding(4)(longer))


def test_shows_its_arguments() -> None:
    assert repr(SinusoidalEncoding(4)) == "SinusoidalEncoding(4, base=10000.0, dim=1)"
