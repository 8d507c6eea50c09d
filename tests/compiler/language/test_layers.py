"""A key of a layer is declared once: what the passes do with it follows from that."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import SpecError
from compiler.language.layers import KEYS, Layer
from compiler.pipeline import compile_spec

SPEC = """\
name: A
inputs: {x: "float[B, T, 4]"}
layers:
  a: {op: linear, out_features: 4}
  b: {op: Step, %s}
blocks:
  Step:
    inputs: {x: "float[B, ..., D]"}
    layers: {a: {op: linear, out_features: D}}
"""


@pytest.mark.parametrize(
    ("key", "column"),
    [
        ("when: depht > 1", 23),
        ("repeat: depht", 25),
        ("repeat: {count: depht}", 25),
        ("scan: depht", 23),
        ("tie: {when: depht > 1}", 29),
        ("unheard: depht", 17),
    ],
)
def test_names_in_formulas_of_every_key_are_checked(
    tmp_path: Path, key: str, column: int
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(SPEC % key)
    with pytest.raises(SpecError) as caught:
        compile_spec(path)
    places = [
        (one.span.line, one.span.column)
        for one in caught.value.diagnostics
        if one.severity == "error"
    ]
    assert (5, column) in places


def layer(**keys: object) -> Layer:
    return Layer.model_validate({"op": "linear", **keys})


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"in": "x", "description": "A layer."},
        {"init": {}},
        {"parametrize": "weight_norm"},
    ],
    ids=str,
)
def test_a_layer_that_a_sequential_can_hold(keys: dict[str, object]) -> None:
    assert layer(**keys).sequential
    assert layer(**keys).runs_once


@pytest.mark.parametrize(
    ("keys", "once"),
    [
        ({"repeat": 2}, False),
        ({"when": False}, False),
        ({"scan": "T"}, False),
        ({"tie": {"weight": "a.weight"}}, True),
        ({"init": {"weight": "zeros"}}, True),
    ],
    ids=str,
)
def test_a_layer_that_it_cannot(keys: dict[str, object], once: bool) -> None:
    assert not layer(**keys).sequential
    assert layer(**keys).runs_once is once


def test_a_shared_layer_has_its_own_inputs_and_ties_nothing() -> None:
    first = layer(repeat=2, tie={"weight": "a.weight"}, **{"in": "x"})
    again = first.shared_by(Layer.model_validate({"share": "a", "in": "y"}))
    assert again.keys.keys() == {"op", "input", "repeat", "share"}
    assert again.input == "y"


def test_a_key_that_goes_with_another_names_one_that_there_is() -> None:
    known = {field.alias or name for name, field in Layer.model_fields.items()}
    assert all(not key.beside or key.beside in known for key in KEYS.values())
