"""`import layergraph as lg`: compile, load and open_run, and what a notebook shows."""

import html
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import layergraph as lg
from layergraph.__main__ import app

SPEC = """\
name: Net
params: {variant: 3, hidden: 4}
variants: {wide: {hidden: 8}}
inputs: {x: "float[B, 2]"}
layers:
  fc1: {op: linear, out_features: hidden}
  fc2: {op: linear, out_features: variant}
"""
ODD = """\
name: Odd
inputs: {x: "float[B, 3, H, W]"}
layers:
  down: {op: conv2d, out_channels: 3, kernel_size: 3, stride: 2, padding: 1}
  sum: {op: add, in: [x, down]}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "net.yaml"
    file.write_text(SPEC)
    return file


def test_values_of_params(spec: Path) -> None:
    assert lg.compile(spec).summary.networks[""].size.parameters == 12 + 15
    wide = lg.compile(spec, variant="wide").summary.networks[""]
    assert wide.size.parameters == 24 + 27
    program = lg.compile(spec, variant="wide", params={"variant": 1}, hidden=2)
    assert program.summary.networks[""].size.parameters == 6 + 3


def test_errors_are_raised_or_kept(tmp_path: Path) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text(ODD)
    with pytest.raises(lg.SpecError, match=r"odd.yaml:5:22: error\[shape-mismatch\]"):
        lg.compile(file)
    program = lg.compile(file, strict=False)
    assert [one.code for one in program.check()] == ["shape-mismatch"]
    assert "#" in program.diagram().svg
    with pytest.raises(FileNotFoundError, match="there is no file"):
        lg.compile(tmp_path / "none.yaml")
    with pytest.raises(lg.SpecError, match="no param hiden"):
        lg.compile("cnn", hiden=3)


def test_shipped_specs_have_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cnn").mkdir()
    assert lg.compile("cnn").name == "CNN"
    (tmp_path / "bert").write_text(SPEC)
    assert lg.compile("bert").name == "Net"
    with pytest.raises(FileNotFoundError, match="did you mean `gpt2`"):
        lg.compile("gpt22")
    for outside in ("blocks/vision", "../specs/cnn", "..", ""):
        with pytest.raises(OSError):  # noqa: PT011
            lg.compile(outside)


def test_a_notebook_shows_pictures(spec: Path) -> None:
    program = lg.compile(spec, variant="wide")
    assert repr(program) == f"<Program Net of {spec}, variant wide>"
    shown = program._repr_mimebundle_()
    assert set(shown) == {"text/plain", "text/html", "image/svg+xml"}
    assert shown["text/plain"] == repr(program)
    assert shown["image/svg+xml"].startswith("<?xml")
    (page,) = re.findall(r'^<iframe srcdoc="([^"]*)"', shown["text/html"])
    assert html.unescape(page) == program.diagram().html and "<" not in page
    assert 'sandbox="allow-scripts"' in shown["text/html"]
    assert program.diagram()._repr_mimebundle_()["text/plain"] == "<Diagram of Net>"
    assert repr(program.diagram()) == "<Diagram of Net>"
    assert repr(program.summary) == "<Summary of Net>"
    lines = str(program.summary).splitlines()
    assert lines[2].split()[:3] == ["fc1", "linear", "float[B,"]
    assert lines[-3].startswith("parameters: 51 = ")
    assert program.summary._repr_html_().startswith("<pre>Net: x float[B, 2] -&gt;")


def test_a_spec_without_networks_has_no_picture(tmp_path: Path) -> None:
    file = tmp_path / "blocks.yaml"
    file.write_text(
        'name: A\nblocks: {B: {inputs: {x: "float[B]"}, layers: {a: relu}}}'
    )
    assert set(lg.compile(file)._repr_mimebundle_()) == {"text/plain"}


def test_diagrams_are_saved(spec: Path, tmp_path: Path) -> None:
    drawn = lg.compile(spec).diagram(direction="LR")
    for suffix, start in {"svg": b"<?xml", "dot": b"digraph", "mmd": b"---"}.items():
        drawn.save(tmp_path / f"net.{suffix}")
        assert (tmp_path / f"net.{suffix}").read_bytes().startswith(start)
    assert (tmp_path / "net.mmd").read_text() == drawn.mermaid
    assert "rankdir=LR" in drawn.dot
    with pytest.raises(lg.RequestError, match="must end in one of"):
        drawn.save(tmp_path / "net.jpg")


def test_load(spec: Path) -> None:
    model = lg.load(spec, params={"variant": 5}, hidden=6)
    assert isinstance(model, torch.nn.Module)
    assert not model.training
    assert model(torch.zeros(1, 2)).shape == (1, 5)
    program = lg.compile(spec, hidden=3)
    again = lg.load(program)
    assert isinstance(again, torch.nn.Module)
    assert again.fc1.weight.shape == (3, 2)
    with pytest.raises(lg.RequestError, match="compile another"):
        lg.load(program, hidden=4)


def test_open_run(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    options = ["--set", "task.epochs=1", "--accelerator", "cpu"]
    done = CliRunner().invoke(
        app, ["train", "cnn_digits", "--run", str(folder), *options]
    )
    assert done.exit_code == 0, done.output
    run = lg.open_run(folder)
    assert repr(run) == f"<LoadedRun {folder} of CNN>"
    assert {"loss", "accuracy"} <= run.evaluate().keys()
    assert isinstance(run.networks[""], torch.nn.Module)


def test_what_is_not_installed_is_named(spec: Path, tmp_path: Path) -> None:
    code = """
import json, sys
for missing in ("torch", "lightning_fabric"):
    sys.modules[missing] = None
import layergraph as lg
said = [lg.compile("cnn").name]
for call in (lg.load, lg.open_run):
    try:
        call(sys.argv[1])
    except lg.MissingExtraError as error:
        said.append(str(error))
from layergraph.__main__ import main
for line in ("verify cnn", "build cnn --verify", "train cnn", "evaluate ."):
    sys.argv = ["layergraph", *line.split()]
    try:
        main()
    except SystemExit as ended:
        said.append(ended.code)
print(json.dumps(said))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(spec)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    command = "torch is not installed: pip install 'layergraph[{}]'"
    messages = [command.format("torch"), command.format("train")]
    assert json.loads(done.stdout) == ["CNN", *messages, 2, 2, 2, 2]
    assert done.stderr.count(f"error: {messages[0]}\n") == 2
