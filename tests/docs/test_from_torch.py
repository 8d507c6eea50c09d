"""The table of docs/language.md for those who know torch: each row compiles, and gives what torch gives."""

from __future__ import annotations

import ast
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from compiler import compile_spec
from runtime.load import load_program
from tests.docs.test_docs import LANGUAGE

_ROW = re.compile(r"^\| `([^`]+)` \| (`.*`) \|$", re.MULTILINE)

SPEC = """
name: Row
params: {{width: 16}}
dims: {{T: {{min: 2}}}}
inputs:
  x: float[B, T, 16]
  y: float[B, T, 16]
  image: float[B, 3, 8, 8]
  tokens: int[B, T]
  mask: bool[B, T]
layers:
  {layers}
outputs: {{a: a}}
blocks:
  Block:
    inputs: {{x: "float[B, T, D]"}}
    layers: {{fc: {{op: linear, out_features: D}}, act: relu}}
    outputs: {{x: act}}
  Expert:
    inputs: {{x: "float[N, D]"}}
    layers: {{fc: {{op: linear, out_features: D}}, act: relu}}
  Cell:
    inputs: {{x: "float[B, D]", h: "float[B, D]"}}
    layers: {{sum: {{op: add, in: [x, h]}}, new: tanh}}
    outputs: {{h: new, y: new}}
"""


def rows() -> list[tuple[str, list[str]]]:
    """The code in torch of each row, and the layers."""
    section = LANGUAGE.read_text(encoding="utf-8").partition("## From torch")[2]
    found = _ROW.findall(section.partition("\n## ")[0])
    return [(code, layers.strip("`").split("`<br>`")) for code, layers in found]


ROWS = rows()


def test_there_are_thirty() -> None:
    assert len(ROWS) >= 30
    assert sum(_is_expression(code) for code, _ in ROWS) >= 24


def _is_expression(code: str) -> bool:
    """Whether a row is a value of the inputs, which can be compared."""
    try:
        return "self" not in ast.dump(ast.parse(code, mode="eval"))
    except SyntaxError:
        return False


def inputs() -> dict[str, Tensor]:
    torch.manual_seed(1)
    tokens = torch.randint(10, (2, 5))
    return {
        "x": torch.randn(2, 5, 16),
        "y": torch.randn(2, 5, 16),
        "image": torch.randn(2, 3, 8, 8),
        "tokens": tokens,
        "mask": tokens > 3,
    }


@pytest.mark.parametrize(("code", "layers"), ROWS, ids=[code for code, _ in ROWS])
def test_row(code: str, layers: list[str], tmp_path: Path) -> None:
    file = tmp_path / "row.yaml"
    file.write_text(SPEC.format(layers="\n  ".join(layers)), encoding="utf-8")
    program = compile_spec(file)
    wrong = [
        one
        for one in program.check()
        if one.code not in ("unused-block", "unused-param")
    ]
    assert wrong == []
    given = inputs()
    torch.manual_seed(0)  # both make their modules in one order
    found = load_program(program)[""]().eval()(**given)
    if _is_expression(code):
        names: dict[str, Any] = {"torch": torch, "nn": nn, "F": F, "math": math}
        torch.manual_seed(0)
        expected = eval(code, {**names, "B": 2, "T": 5}, given)  # noqa: S307
        torch.testing.assert_close(found, expected)
