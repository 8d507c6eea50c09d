"""What formulas in `init` come to is asked where there are weights: a module without them runs whatever that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler import SpecError, compile_spec

SPEC = """
name: Net
params: {width: 6, on: false}
inputs:
  x: float[B, 4]
layers:
  fc: {op: linear, out_features: 4, when: on}
init: {linear: {weight: {normal: {std: 0.3 / sqrt(width)}}}}
"""


def test_a_formula_without_a_value_is_wrong_where_weights_need_it(
    tmp_path: Path,
) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(SPEC, encoding="utf-8")
    compile_spec(spec, settings={"width": 0})
    with pytest.raises(SpecError) as raised:
        compile_spec(spec, settings={"width": 0, "on": True})
    (one,) = raised.value.diagnostics
    assert (one.code, one.span.at.rpartition("/")[2]) == (
        "division-by-zero",
        "net.yaml:8:40",
    )
