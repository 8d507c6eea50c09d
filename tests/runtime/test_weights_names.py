"""Whose names a file of weights has: those that were published, or those of the spec."""

from __future__ import annotations

from pathlib import Path

import numpy
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from compiler import compile_spec
from compiler.diagnostics.diagnostic import RequestError
from layergraph import load
from layergraph.__main__ import app
from runtime.weights import WeightTranslator

TURNED = """\
name: Turned
inputs: {x: "float[B, 4]"}
layers: {fc: {op: linear, out_features: 4, bias: false}}
checkpoint: {tensors: {fc.weight: {from: fc.weight, transpose: [0, 1]}}}
"""


def test_a_converted_file_says_whose_names_it_has(tmp_path: Path) -> None:
    spec = tmp_path / "turned.yaml"
    spec.write_text(TURNED)
    given = torch.randn(4, 4)
    file, out = (
        _write(tmp_path / "w.npz", given),
        tmp_path / "o.safetensors",
    )
    command = ["export", str(spec), "--weights", str(file), "-o", str(out)]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, RequestError)
    assert "fits in two ways" in str(result.exception)
    command += ["--names", "published"]
    assert CliRunner().invoke(app, command).exit_code == 0
    for module in (
        load(spec, weights=out),
        load(spec, weights=file, names="published"),
    ):
        assert isinstance(module, nn.Module)
        assert module.fc.weight.equal(given.T)
    own = load(spec, weights=file, names="own")
    assert isinstance(own, nn.Module)
    assert own.fc.weight.equal(given)
    result = CliRunner().invoke(app, ["weights", "check", str(spec), str(out)])
    assert result.output.endswith("1 of 1 tensors fit, by the spec's own names\n")


def test_the_alternative_that_exists_is_translated(tmp_path: Path) -> None:
    file = tmp_path / "turned.yaml"
    rule = "{from: fc.weight, transpose: [0, 1]}"
    file.write_text(TURNED.replace(rule, f"[w, {rule}]"))
    translate, given = WeightTranslator(compile_spec(file)), torch.randn(4, 4)
    assert translate({"w": given})["fc.weight"] is given
    assert translate({"fc.weight": given})["fc.weight"].equal(given.T)
    assert translate.left_over(["w", "fc.weight"]) == ["fc.weight"]


def _write(file: Path, weight: Tensor) -> Path:
    numpy.savez(file, **{"fc.weight": weight.numpy()})
    return file
