"""Files of weights held against specs: what fits, what is missing, and where the spec says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from compiler import Program, SpecError, compile_spec
from compiler.checkpoint.assembly import Taken, Transposed
from compiler.checkpoint.match import TensorMatch, fit
from compiler.checkpoint.mismatches import problems
from compiler.diagnostics.diagnostic import RequestError
from layergraph.__main__ import app
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
    assert held.fits and not held.reading.own
    assert list(held.assemblies) == [
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
    assert held.fits and held.reading.own


def test_what_is_left_as_it_begins(tmp_path: Path) -> None:
    text = SPEC.replace("    embed.weight: wte", '    "embed.{*rest}": null')
    rule = "    body.{i}.weight"
    text = text.replace(rule, f"    head.weight: null\n{rule}")
    shapes = {name: shape for name, shape in WHOLE.items() if name != "wte"}
    held = fit(compiled(text, tmp_path).typed, shapes)
    assert held.fits
    assert held.initialised == [("", "embed.weight")]


def variants(rule: str, folder: Path) -> Program:
    text = SPEC.replace('{from: "h.{i + 1}.w", transpose: [0, 1]}', rule)
    assert text != SPEC
    return compiled(text, folder)


OLD = {"wte": (6, 4), "biases": (8,), "old.0.w": (4, 4), "old.1.w": (4, 4)}
RULE = '["h.{i + 1}.w", {from: "old.{i}.w", transpose: [0, 1]}]'


def test_the_first_alternative_that_is_there_counts(tmp_path: Path) -> None:
    program = variants(RULE, tmp_path)
    assert fit(program.typed, WHOLE).fits
    held = fit(program.typed, OLD)
    assert held.fits
    assert held.assemblies["", "body.1.weight"] == Transposed(Taken("old.1.w"), 0, 1)
    mixed = {**WHOLE, "old.0.w": (4, 4)}
    del mixed["h.1.w"]
    assert fit(program.typed, mixed).fits


def test_what_no_alternative_uses_is_left_over(tmp_path: Path) -> None:
    (one,) = told(variants(RULE, tmp_path), WHOLE | {"old.0.w": (4, 4)})
    assert "nothing needs these tensors of w.safetensors: old.0.w" in one


def test_what_all_alternatives_lack(tmp_path: Path) -> None:
    program = variants(RULE, tmp_path)
    shapes = {name: shape for name, shape in OLD.items() if name != "old.1.w"}
    assert told(program, shapes) == [
        "12 missing-tensor: w.safetensors has no h.2.w or old.1.w"
    ]
    shapes["old.7.w"] = (4, 4)
    assert "did you mean `old.7.w`?" in told(program, shapes)[0]


def test_of_an_alternative_that_is_there_in_part(tmp_path: Path) -> None:
    rule = '["h.{i + 1}.w", {concat: ["old.{i}.a", "old.{i}.b"]}]'
    shapes = {"wte": (6, 4), "biases": (8,)} | {f"old.{i}.a": (2, 4) for i in range(2)}
    assert told(variants(rule, tmp_path), shapes | {"old.0.b": (2, 4)}) == [
        "12 missing-tensor: w.safetensors has no old.1.b"
    ]


def test_null_after_other_alternatives(tmp_path: Path) -> None:
    program = variants(
        '["h.{i + 1}.w", {concat: ["old.{i}.a", "old.{i}.b"]}, null]', tmp_path
    )
    assert fit(program.typed, WHOLE).initialised == []
    rest = {"wte": (6, 4), "biases": (8,)}
    held = fit(program.typed, rest)
    assert held.fits
    assert held.initialised == [("", f"body.{i}.weight") for i in range(2)]
    assert told(program, rest | {"old.1.a": (2, 4)}) == [
        "12 missing-tensor: w.safetensors has no old.1.b"
    ]


def test_a_list_that_was_meant_to_be_joined(tmp_path: Path) -> None:
    parts = {f"{part}.{i}": (2, 4) for part in "qk" for i in range(2)}
    program = variants('["q.{i}", "k.{i}"]', tmp_path)
    first, _ = told(program, {"wte": (6, 4), "biases": (8,)} | parts)
    assert "body.0.weight is [4, 4], and the file gives [2, 4], and so 1 more" in first
    assert "`concat` and `stack` join several tensors" in first


PREFIXED = SPEC.replace("checkpoint:", "checkpoint:\n  prefix: h")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda name: name, ""),
        (lambda name: name.removeprefix("h."), "names without h."),
        (lambda name: f"h.{name}", "names with h."),
    ],
)
def test_names_with_a_leading_part_more_or_less(
    change: Callable[[str], str], said: str, tmp_path: Path
) -> None:
    program = compiled(PREFIXED, tmp_path)
    file = {change(name): shape for name, shape in WHOLE.items()}
    held = fit(program.typed, file | {change("h.1.mask"): (1,)})
    assert held.fits
    assert held.reading.description == said
    assert held.ignored == [change("h.1.mask")]
    del file[change("h.2.w")]
    assert f"w.safetensors has no {change('h.2.w')}" in told(program, file)[0]


TURNED = """\
name: Net
inputs: {x: "float[B, 4]"}
layers: {fc: {op: linear, out_features: 4, bias: false}}
checkpoint: {tensors: {fc.weight: {from: fc.weight, transpose: [0, 1]}}}
"""


def test_what_fits_in_two_ways_is_refused(tmp_path: Path) -> None:
    typed = compiled(TURNED, tmp_path).typed
    shapes = {"fc.weight": (4, 4)}
    said = "two ways: names as published or the spec's own names; say whose names"
    with pytest.raises(RequestError, match=said):
        fit(typed, shapes)
    published = fit(typed, shapes, names="published")
    assert published.assemblies["", "fc.weight"] == Transposed(Taken("fc.weight"), 0, 1)
    assert fit(typed, shapes, names="own").assemblies["", "fc.weight"] == Taken(
        "fc.weight"
    )
    with pytest.raises(RequestError, match="names are published or own, not theirs"):
        fit(typed, shapes, names="theirs")


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
    assert list(fit(program.typed, both).assemblies) == [
        ("text", "fc.weight"),
        ("image", "fc.weight"),
    ]
    assert list(fit(program.typed, both, "image").assemblies) == [
        ("image", "fc.weight")
    ]
    assert fit(program.typed, both, "image").fits
    own = {"text.fc.weight": (2, 4), "image.fc.weight": (3, 4)}
    assert fit(program.typed, own).reading.own
    with pytest.raises(RequestError, match="the networks are text, image"):
        fit(program.typed, both, "sound")


def test_without_a_checkpoint_names_are_equal(tmp_path: Path) -> None:
    program = compiled(SPEC.partition("checkpoint:")[0], tmp_path)
    held: TensorMatch = fit(program.typed, {"embed.weight": (6, 4)})
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
