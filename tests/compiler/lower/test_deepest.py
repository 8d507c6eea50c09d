"""Constructors refuse more levels than the sizes of the inputs can be divided for, and only those that have levels."""

from pathlib import Path

import pytest

from compiler.pipeline import compile_spec
from runtime.load import load_program

LEVELS = """
blocks:
  Level:
    params: {depth: int}
    inputs: {x: "float[B, 3, H]"}
    layers:
      same: {op: conv1d, out_channels: 3, kernel_size: 1}
      below:
        when: depth > 0
        layers:
          down: {op: avg_pool1d, kernel_size: 2}
          level: {op: Level, depth: depth - 1}
          up: {op: interpolate, scale_factor: 2}
          sum: {op: add, in: [same, up]}
"""
NETWORKS = """
name: Pair
params: {depth: 1, width: 4}
dims: {H: {min: 4, multiple_of: 4}}
networks:
  deep:
    inputs: {x: "float[B, 3, H]"}
    layers: {levels: {op: Level, depth: depth}}
  flat:
    inputs: {x: "float[B, 3]"}
    layers: {fc: {op: linear, out_features: width}}
"""


@pytest.mark.parametrize(("sizes", "most"), [("4", 2), ("8", 3), ("2 ** depth", None)])
def test_a_depth_that_sizes_allow(sizes: str, most: int | None, tmp_path: Path) -> None:
    """A size that is a multiple of 4 is halved twice; where `dims` follow the depth there is no end."""
    file = tmp_path / "pair.yaml"
    text = NETWORKS.replace("multiple_of: 4", f"multiple_of: {sizes}")
    file.write_text(text + LEVELS, encoding="utf-8")
    networks = load_program(compile_spec(file))
    for depth in range(6):
        if most is None or depth <= most:
            assert networks["deep"](depth=depth)
        else:
            with pytest.raises(ValueError, match=f"depth must be at most {most}"):
                networks["deep"](depth=depth)
    assert networks["flat"](width=5)
