"""Formulas of the counter hold for other params than those of the spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from compiler import compile_spec
from runtime.load import build_networks, load_program

SPEC = Path(__file__).parents[2] / "features" / "counted.yaml"


@pytest.mark.parametrize(
    "params",
    [
        {"early": 2},
        {"widths": (5, 7, 9, 11), "cap": 30},
        {"early": 3, "widths": (3, 4, 5, 6, 7)},
    ],
)
def test_other_params_in_python_are_settings(params: dict[str, Any]) -> None:
    settings = {k: list(v) if isinstance(v, tuple) else v for k, v in params.items()}
    built = build_networks(compile_spec(SPEC, settings=settings))[""]
    passed = load_program(compile_spec(SPEC))[""](**params)
    shapes = {name: tensor.shape for name, tensor in built.state_dict().items()}
    found = {name: tensor.shape for name, tensor in passed.state_dict().items()}
    assert found == shapes
    passed(torch.zeros(1, 3, 2, 2))
