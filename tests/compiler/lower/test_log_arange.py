"""`log_arange` fills every row with log 1, log 2, ..., and needs no gradient for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from compiler import compile_spec
from runtime.load import load_program

SPEC = Path(__file__).parents[2] / "features" / "log_arange.yaml"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rows_are_logarithms(dtype: torch.dtype) -> None:
    with torch.device("meta"):
        model = load_program(compile_spec(SPEC))[""](states=5)
    model.to_empty(device="cpu").to(dtype).reset_parameters()
    names = ["rates", "up.weight", "body.0.weight", "body.1.weight"]
    for tensor in map(model.get_parameter, names):
        row = torch.arange(1, tensor.shape[-1] + 1).log().to(dtype)
        assert torch.equal(tensor, row.expand_as(tensor))
        assert tensor.requires_grad
        assert tensor.is_leaf
