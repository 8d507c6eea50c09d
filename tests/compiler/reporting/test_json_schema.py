"""The JSON Schema: every spec is valid by it, and plain mistakes are not."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from compiler.language.spec import Spec
from compiler.op.registry import ops
from tests.json_schema import schema_errors, the_schema
from tests.programs import chosen

SPECS = sorted((*Path("specs").rglob("*.yaml"), *Path("recipes").glob("*.yaml")))


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(the_schema())
    assert the_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", chosen(SPECS), ids=lambda path: path.stem)
def test_every_spec_is_valid(path: Path) -> None:
    assert schema_errors(path.read_text(encoding="utf-8")) == []


def test_it_knows_every_key_and_op() -> None:
    keys = {field.alias or name for name, field in Spec.model_fields.items()}
    assert the_schema()["$defs"]["spec"]["properties"].keys() == keys
    assert {f"op.{name}" for name in ops()} <= the_schema()["$defs"].keys()


LAYER = "name: A\ninputs: {x: 'float[B, D]'}\nlayers: {a: %s}\n"


@pytest.mark.parametrize(
    "layer",
    [
        "relu",
        "{op: linear, out_features: 4 * D, bias: $bias}",
        "{op: conv2d, out_channels: 3, kernel_size: [3, k], padding: same}",
        "{op: rearrange, pattern: b (h d) -> b h d, sizes: {h: heads}}",
        "{op: Block, anything: 3, in: {x: a, y: [b, c]}, repeat: {count: n, share: true}}",
        "{op: $norm, eps: 1.0e-5}",
        "{layers: [relu, {op: linear, out_features: 3}], when: D > 3}",
        "{share: b}",
        "{choose: [{when: D > 3, op: relu}, {layers: [gelu]}, tanh], repeat: 2}",
        "{op: linear, out_features: 3, init: {weight: {normal: {std: 0.1}}, bias: zeros}}",
    ],
)
def test_layers_that_are_valid(layer: str) -> None:
    assert schema_errors(LAYER % layer) == []


@pytest.mark.parametrize(
    "layer",
    [
        "lineer",
        "{choose: []}",
        "{choose: [{when: D > 3, op: relu, repeat: 2}, tanh]}",
        "{choose: [{when: D > 3, op: lineer}, tanh]}",
        "{op: linear}",
        "{op: linear, out_features: 0}",
        "{op: linear, out_features: 3, biass: true}",
        "{op: conv2d, out_channels: 3, kernel_size: 3, padding_mode: mirror}",
        "{op: dropout, p: 2}",
        "{bias: true}",
        "{op: linear, out_features: 3, in: []}",
        "{op: linear, out_features: 3, init: {weight: {normall: {std: 0.1}}}}",
    ],
)
def test_layers_that_are_not(layer: str) -> None:
    assert schema_errors(LAYER % layer) != []


@pytest.mark.parametrize(
    "param",
    [
        "3",
        "0.5",
        "int",
        "'float[]'",
        "[1, 2]",
        "4 * width",
        "{type: op, default: relu}",
        "{default: 3, min: 1, choices: [3, 4]}",
    ],
)
def test_params_that_are_valid(param: str) -> None:
    assert schema_errors(f"name: A\nparams: {{a: {param}}}") == []


@pytest.mark.parametrize(
    "text",
    [
        "name: A\nparams: {a: {typ: int}}",
        "layers: {a: relu}",
        "name: A\nlayrs: {}",
        "name: A\ninputs: {x: 'double[B]'}\nlayers: [relu]",
        "name: A\nexpect: {parameters: many}",
        "name: A\nparams: {a: {type: integer}}",
    ],
)
def test_files_that_are_not(text: str) -> None:
    assert schema_errors(text) != []


def test_references_resolve() -> None:
    names: set[str] = set()
    _collect(the_schema(), names)
    assert {name.removeprefix("#/$defs/") for name in names} <= the_schema()[
        "$defs"
    ].keys()


def _collect(value: Any, names: set[str]) -> None:
    if isinstance(value, dict):
        names |= {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        for item in value.values():
            _collect(item, names)
    elif isinstance(value, list):
        for item in value:
            _collect(item, names)


EXTENDS = "extends: base.yaml\n%s\n"


@pytest.mark.parametrize(
    "text",
    [
        "name: A",
        "params: {width: 3, rate: null}",
        "layers: {a: null, b: {op: relu, after: a}, c: relu}",
        "outputs: [a, b]",
        "outputs: {y: null}",
        "checkpoint: null",
        "checkpoint: {prefix: null, tensors: {a: null}}",
        "expect: {parameters: null, y: 'float[B, 3]', z: null}",
        "task: {epochs: 3, clip: null}",
        "blocks: {A: null}",
        "init: {linear: null}",
    ],
)
def test_specs_that_extend_others(text: str) -> None:
    assert schema_errors(EXTENDS % text) == []


@pytest.mark.parametrize(
    "text",
    [
        "parms: {width: 3}",
        "layers: {a: lineer}",
        "layers: {a: {op: relu, after: 3}}",
        "layers: {a: {op: linear}}",
        "outputs: {y: 3}",
        "expect: {parameters: many}",
        "task: {epoch: 3}",
        "blocks: {A: {layers: {a: relu}}}",
        "blocks: {A: {inputs: {x: 'float[B]'}, layers: {a: null}}}",
        "extends: null",
    ],
)
def test_specs_that_extend_others_wrongly(text: str) -> None:
    whole = text if text.startswith("extends") else EXTENDS % text
    assert schema_errors(whole) != []


def test_null_is_for_specs_that_extend_others() -> None:
    assert schema_errors("name: A\ninputs: {x: 'float[B]'}\nlayers: {a: null}\n") != []
