"""Files of weights held against specs: what fits, what is missing, and where the spec says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from compiler import Program, SpecError, compile_spec
from compiler.checkpoint.fit import Fit, fit
from compiler.checkpoint.report import problems
from compiler.diagnostics import RequestError
from tests.compiler.checkpoint.files import safetensors

SPEC = """\
name: Net
params: {width: 4, tokens: 6}
inputs:
  x: int[B, T]
layers:
  embed: {op: embedding, num_embeddings: tokens, embedding_dim: width}
  body: {op: linear, out_features: width, repeat: 2}
  head: {op: linear, out_features: tokens, bias: false, tie: {weight: embed.weight}}
checkpoint:
  tensors:
    embed.weight: wte
    body.{i}.weight: {from: "h.{i + 1}.w", transpose: [0, 1]}
    body.{i}.bias: {from: biases, slice: [i * width, (i + 1) * width]}
  ignore: ["h.{i}.mask"]
"""
WHOLE = {"wte": (6, 4), "h.1.w": (4, 4), "h.2.w": (4, 4), "biases": (8,)}


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return compiled(SPEC, tmp_path)


def compiled(text: str, folder: Path) -> Program:
    file = folder / "net.yaml"
    file.write_text(text, encoding="utf-8")
    return compile_spec(file)


def told(program: Program, shapes: dict[str, tuple[int, ...]]) -> list[str]:
    held = fit(program.typed, shapes)
    found = problems(held, program.typed, Path("w.safetensors"))
    assert held.fits == (not found)
    return [f"{d.span.line} {d.code}: {d.message} {d.help}".strip() for d in found]


def test_what_fits(program: Program) -> None:
    held = fit(program.typed, WHOLE | {"h.1.mask": (1,)})
    assert held.fits and not held.own
    assert list(held.makings) == [
        ("", name)
        for name in (
            *("embed.weight", "body.0.weight", "body.0.bias"),
            *("body.1.weight", "body.1.bias"),
        )
    ]
    assert held.ignored == ["h.1.mask"]


def test_what_is_missing_differs_or_is_left_over(program: Program) -> None:
    help = "give them rules, or name them under `ignore`"
    shapes = {"wte": (6, 5), "h.1.w": (4, 4), "biases": (6,), "h.3.w": (4, 4)}
    assert told(program, shapes) == [
        "12 missing-tensor: w.safetensors has no h.2.w did you mean `h.3.w`?",
        "11 tensor-mismatch: embed.weight is [6, 4], and the file gives [6, 5]",
        "13 tensor-mismatch: body.1.bias cannot be made: [6] ends before 8",
        "9 unknown-tensor: nothing needs these tensors of w.safetensors: h.3.w " + help,
    ]


def test_copies_of_a_layer_are_told_together(program: Program) -> None:
    assert told(program, {"wte": (6, 4), "biases": (8,)}) == [
        "12 missing-tensor: w.safetensors has no h.1.w, and so 1 more"
    ]


def test_one_of_tied_tensors_is_enough(program: Program) -> None:
    shapes = {name: shape for name, shape in WHOLE.items() if name != "wte"}
    held = fit(program.typed, shapes | {"head.weight": (6, 4)})
    assert held.fits
    assert fit(program.typed, WHOLE | {"head.weight": (6, 4)}).fits
    assert told(program, WHOLE | {"head.weight": (4, 6)}) != []


def test_a_file_may_have_our_names(program: Program) -> None:
    own = {"embed.weight": (6, 4)}
    for i in range(2):
        own |= {f"body.{i}.weight": (4, 4), f"body.{i}.bias": (4,)}
    held = fit(program.typed, own)
    assert held.fits and held.own


def test_what_is_left_as_it_begins(tmp_path: Path) -> None:
    text = SPEC.replace("    embed.weight: wte", '    "embed.{*rest}": null')
    rule = "    body.{i}.weight"
    text = text.replace(rule, f"    head.weight: null\n{rule}")
    shapes = {name: shape for name, shape in WHOLE.items() if name != "wte"}
    held = fit(compiled(text, tmp_path).typed, shapes)
    assert held.fits
    assert held.left_out == [("", "embed.weight")]


TWO = """\
name: Pair
networks:
  text:
    inputs: {x: "float[B, 4]"}
    layers: {fc: {op: linear, out_features: 2, bias: false}}
  image:
    inputs: {x: "float[B, 4]"}
    layers: {fc: {op: linear, out_features: 3, bias: false}}
checkpoint:
  text: {tensors: {fc.weight: text_model.fc.weight}}
  image: {tensors: {fc.weight: image_model.fc.weight}}
"""


def test_several_networks_in_one_file(tmp_path: Path) -> None:
    program = compiled(TWO, tmp_path)
    both = {"text_model.fc.weight": (2, 4), "image_model.fc.weight": (3, 4)}
    assert list(fit(program.typed, both).makings) == [
        ("text", "fc.weight"),
        ("image", "fc.weight"),
    ]
    assert list(fit(program.typed, both, "image").makings) == [("image", "fc.weight")]
    assert fit(program.typed, both, "image").fits
    own = {"text.fc.weight": (2, 4), "image.fc.weight": (3, 4)}
    assert fit(program.typed, own).own
    with pytest.raises(RequestError, match="the networks are text, image"):
        fit(program.typed, both, "sound")


def test_without_a_checkpoint_names_are_equal(tmp_path: Path) -> None:
    program = compiled(SPEC.partition("checkpoint:")[0], tmp_path)
    held: Fit = fit(program.typed, {"embed.weight": (6, 4)})
    (first, *_) = problems(held, program.typed, Path("w.npz"))
    assert (first.code, first.span.line) == ("missing-tensor", 7)


def test_the_command(tmp_path: Path, program: Program) -> None:
    file = tmp_path / "w.safetensors"
    file.write_bytes(safetensors(WHOLE))
    spec = str(tmp_path / "net.yaml")
    result = CliRunner().invoke(app, ["weights", "check", spec, str(file)])
    assert result.exit_code == 0
    assert result.output == f"{file}: 5 of 5 tensors fit\n"
    file.write_bytes(safetensors(WHOLE | {"more": (3,)}))
    result = CliRunner().invoke(app, ["weights", "check", spec, str(file), "--json"])
    assert result.exit_code == 1
    data = json.loads(result.output)
    assert not data["fits"]
    assert data["unknown"] == ["more"]
    assert data["tensors"]["body.1.weight"] == ["h.2.w"]
    assert [one["code"] for one in data["diagnostics"]] == ["unknown-tensor"]
    result = CliRunner().invoke(app, ["weights", "check", spec, str(file)])
    assert isinstance(result.exception, SpecError)
