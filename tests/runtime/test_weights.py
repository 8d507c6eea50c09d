"""Published weights become those of a network: in a file, in a live module, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from typer.testing import CliRunner

from compiler import Program, SpecError, compile_spec
from compiler.diagnostics.diagnostic import DataError, RequestError
from layergraph import load
from layergraph.__main__ import app
from runtime.engine.read_tensors import read_tensors
from runtime.load import build_networks
from runtime.open_run import check_fit, load_weights
from runtime.weights import WeightTranslator, convert

SPEC = """\
name: Net
params: {width: 4, tokens: 6, parts: 2}
variants:
  wide: {width: 8}
inputs:
  x: int[B, T]
layers:
  embed: {op: embedding, num_embeddings: tokens, embedding_dim: width}
  body: {op: Body, parts: parts, repeat: 2}
  scale: {op: linear, out_features: width, bias: false}
  head: {op: linear, out_features: tokens, bias: false, tie: {weight: embed.weight}}
checkpoint:
  tensors:
    embed.weight: wte
    body.{i}.{part}.bias: {from: "h.{i}.{part}.b", reshape: [width]}
    body.{i}.q.weight: {from: "h.{i}.qk.w", chunk: [0, 2], dim: 1, transpose: [0, 1]}
    body.{i}.k.weight: {from: {from: "h.{i}.qk.w", chunk: [1, 2], dim: 1}, transpose: [0, 1]}
    body.{i}.experts: {stack: "h.{i}.e.{e}", over: {e: parts}}
    scale.weight: null
  ignore: ["h.{i}.mask"]
blocks:
  Body:
    params: {parts: int}
    inputs: {x: "float[B, T, D]"}
    layers:
      q: {op: linear, out_features: D, in: x}
      k: {op: linear, out_features: D}
      experts: {op: parameter, shape: [parts, D]}
      first: {op: index, dim: 0, index: 0}
      sum: {op: add, in: [k, first]}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "net.yaml"
    file.write_text(SPEC, encoding="utf-8")
    return file


@pytest.fixture
def program(spec: Path) -> Program:
    return compile_spec(spec)


def published(width: int = 4) -> dict[str, Tensor]:
    torch.manual_seed(0)
    made = {"wte": torch.randn(6, width)}
    for i in range(2):
        made[f"h.{i}.qk.w"] = torch.randn(width, 2 * width)
        for part in "qk":
            made[f"h.{i}.{part}.b"] = torch.randn(1, width)
        for e in range(2):
            made[f"h.{i}.e.{e}"] = torch.randn(width)
    return made


def test_convert(program: Program) -> None:
    given = published()
    made = convert(program, given | {"h.0.mask": torch.ones(3)})
    assert "scale.weight" not in made
    assert made["embed.weight"] is given["wte"]
    assert made["head.weight"] is given["wte"]
    packed = given["h.1.qk.w"]
    assert made["body.1.q.weight"].equal(packed[:, :4].T)
    assert made["body.1.k.weight"].equal(packed[:, 4:].T)
    assert made["body.0.k.bias"].equal(given["h.0.k.b"][0])
    experts = torch.stack([given["h.1.e.0"], given["h.1.e.1"]])
    assert made["body.1.experts"].equal(experts)


def test_convert_keeps_dtypes(program: Program) -> None:
    given = {name: tensor.bfloat16() for name, tensor in published().items()}
    assert {t.dtype for t in convert(program, given).values()} == {torch.bfloat16}


def test_tensors_that_do_not_fit_are_not_converted(program: Program) -> None:
    given = published()
    del given["h.1.e.1"]
    with pytest.raises(SpecError, match=r"missing-tensor.*h\.1\.e\.1"):
        convert(program, given)
    with pytest.raises(SpecError, match=r"unknown-tensor.*h\.2\.b"):
        convert(program, published() | {"h.2.b": torch.ones(1)})
    with pytest.raises(SpecError, match="tensor-mismatch"):
        convert(program, published(5))


def _write(file: Path, tensors: dict[str, Tensor]) -> Path:
    if file.suffix == ".npz":
        numpy.savez(file, **{name: t.numpy() for name, t in tensors.items()})
    else:
        save_file({name: t.contiguous() for name, t in tensors.items()}, file)
    return file


@pytest.mark.parametrize("name", ["w.safetensors", "w.npz"])
def test_load(spec: Path, program: Program, tmp_path: Path, name: str) -> None:
    file = _write(tmp_path / name, published())
    module = load(spec, weights=file)
    assert isinstance(module, nn.Module) and not module.training
    state = module.state_dict()
    for key, tensor in convert(program, published()).items():
        assert state[key].equal(tensor)
    assert module.head.weight is module.embed.weight
    assert module(torch.tensor([[1, 2, 3]])).shape == (1, 3, 6)


def test_load_a_variant(spec: Path, tmp_path: Path) -> None:
    file = _write(tmp_path / "w.safetensors", published(8))
    with pytest.raises(SpecError, match="tensor-mismatch"):
        load(spec, weights=file)
    load(spec, weights=file, variant="wide")
    load(spec, weights=file, width=8)


def test_load_without_weights(spec: Path) -> None:
    module = load(spec)
    assert isinstance(module, nn.Module) and not module.training


def test_the_command_writes_a_file_that_runs_and_loads(
    spec: Path, program: Program, tmp_path: Path
) -> None:
    file, out = _write(tmp_path / "w.npz", published()), tmp_path / "out.safetensors"
    command = ["export", str(spec), "--weights", str(file), "-o", str(out)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    written = load_file(out)
    assert "head.weight" not in written  # it is tied
    made = convert(program, published())
    assert written.keys() == made.keys() - {"head.weight"}
    assert all(written[name].equal(made[name]) for name in written)


def test_a_converted_file_loads_again(spec: Path, tmp_path: Path) -> None:
    file, out = _write(tmp_path / "w.npz", published()), tmp_path / "out.safetensors"
    command = ["export", str(spec), "--weights", str(file), "-o", str(out)]
    assert CliRunner().invoke(app, command).exit_code == 0
    again = load(spec, weights=out)
    assert isinstance(again, nn.Module)
    assert again.embed.weight.equal(published()["wte"])
    again = load(spec, weights=_write(tmp_path / "w.safetensors", published()))
    assert isinstance(again, nn.Module)
    whole = {
        name: tensor
        for name, tensor in again.state_dict().items()
        if name != "head.weight"
    }
    program = compile_spec(spec)
    networks = build_networks(program)
    file = _write(tmp_path / "whole.safetensors", whole)
    tensors = read_tensors(file)
    check_fit(program, tensors, file)  # a tied tensor may be missing
    load_weights(networks, tensors)
    assert networks[""].scale.weight.equal(whole["scale.weight"])


def test_nothing_is_written_where_something_is_missing(
    spec: Path, tmp_path: Path
) -> None:
    given = published()
    del given["wte"]
    file, out = _write(tmp_path / "w.npz", given), tmp_path / "out.safetensors"
    command = ["export", str(spec), "--weights", str(file), "-o", str(out)]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, SpecError)
    assert not out.exists()


def test_weights_are_written_as_safetensors(spec: Path, tmp_path: Path) -> None:
    file = _write(tmp_path / "w.npz", published())
    command = [
        "export",
        str(spec),
        "--weights",
        str(file),
        "-o",
        str(tmp_path / "o.npz"),
    ]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, RequestError)


def test_shards(spec: Path, tmp_path: Path) -> None:
    given = published()
    names = list(given)
    places = {}
    for k, part in enumerate((names[:3], names[3:])):
        shard = f"model-{k}.safetensors"
        _write(tmp_path / shard, {name: given[name] for name in part})
        places |= dict.fromkeys(part, shard)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(repr({"weight_map": places}).replace("'", '"'))
    module = load(spec, weights=index)
    assert isinstance(module, nn.Module)
    assert module.embed.weight.equal(given["wte"])


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
  text: {tensors: {fc.weight: t}}
"""


def _two(folder: Path, more: str = "") -> tuple[Path, Any]:
    spec = folder / "two.yaml"
    spec.write_text(TWO + more, encoding="utf-8")
    tensors = {"t": torch.randn(2, 4)}
    if more:
        tensors["i"] = torch.randn(3, 4)
    return spec, _write(folder / "two.safetensors", tensors)


def test_several_networks(tmp_path: Path) -> None:
    spec, file = _two(tmp_path, "  image: {tensors: {fc.weight: i}}\n")
    networks = load(spec, weights=file)
    assert isinstance(networks, dict)
    assert list(networks) == ["text", "image"]
    alone = load(spec, weights=file, network="image")
    assert isinstance(alone, nn.Module)
    assert alone.fc.weight.equal(networks["image"].fc.weight)
    program = compile_spec(spec)
    with pytest.raises(RequestError, match="several networks: text, image"):
        convert(program, {})
    with pytest.raises(RequestError, match="has no network sound"):
        load(spec, network="sound")


def test_a_network_that_the_checkpoint_lacks(tmp_path: Path) -> None:
    spec, file = _two(tmp_path)
    with pytest.raises(RequestError, match="has no weights of image"):
        load(spec, weights=file)
    alone = load(spec, weights=file, network="text")
    assert isinstance(alone, nn.Module)


def test_shared_tensors_are_written_separately(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    head = "name: Net\ninputs: {x: 'float[B, 4]'}\nlayers:\n"
    layer = "{op: linear, out_features: 4, bias: false}"
    rules = "checkpoint: {tensors: {a.weight: w, b.weight: w}}\n"
    spec.write_text(f"{head}  a: {layer}\n  b: {layer}\n{rules}")
    file = _write(tmp_path / "w.safetensors", {"w": torch.randn(4, 4)})
    out = tmp_path / "out.safetensors"
    command = ["export", str(spec), "--weights", str(file), "-o", str(out)]
    assert CliRunner().invoke(app, command).exit_code == 0
    written = load_file(out)
    assert written["a.weight"].equal(written["b.weight"])


def test_translating_some_of_the_tensors(program: Program) -> None:
    translate = WeightTranslator(program)
    given = published()
    found = translate({"wte": given["wte"], "h.0.qk.w": given["h.0.qk.w"]})
    names = {"embed.weight", "head.weight", "body.0.q.weight", "body.0.k.weight"}
    assert found.keys() == names
    assert translate.initialised == {"scale.weight"}
    assert translate.left_over([*given, "h.0.mask", "more"]) == ["more"]


def test_tensors_that_the_spec_ties_must_be_equal(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        SPEC.replace(
            "    embed.weight: wte", "    head.weight: out\n    embed.weight: wte"
        )
    )
    program = compile_spec(spec)
    tensors = published()
    tensors["out"] = tensors["wte"].clone()
    assert torch.equal(convert(program, tensors)["head.weight"], tensors["wte"])
    tensors["out"][0, 0] += 1
    with pytest.raises(DataError, match=r"ties head.weight to embed.weight, but they"):
        convert(program, tensors)
    save_file(tensors, tmp_path / "file.safetensors")
    with pytest.raises(DataError, match=r"differ in .*file.safetensors"):
        load(spec, weights=tmp_path / "file.safetensors")
