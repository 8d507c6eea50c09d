"""Exit codes over all commands: 1 where a file is wrong, 2 where the command line is."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from layergraph.__main__ import Commands, app
from tests.layergraph.commands.command import Runner

SPEC = """\
name: Net
params: {hidden: 8}
inputs:
  image: float[B, 1, 8, 8]
layers:
  flat: flatten
  fc1: {op: linear, out_features: hidden}
  act: relu
  fc2: {op: linear, out_features: 10}
outputs:
  logits: fc2
task: {kind: classification, data: digits, epochs: 1, batch_size: 256}
"""

# Every file that a command takes, as FILE, beside those that are right.
LINES = {
    "build": ["FILE"],
    "check": ["FILE", "net.yaml FILE"],
    "diagram": ["FILE -o a.dot"],
    "diff": ["FILE net.yaml", "net.yaml FILE"],
    "causality": ["FILE"],
    "dump": ["FILE"],
    "evaluate": ["RUN", "run --weights FILE"],
    "expand": ["FILE"],
    "export": [
        "FILE -o a.safetensors",
        "net.yaml --weights FILE.safetensors -o a.safetensors",
        "RUN -o a.safetensors",
        "run --weights FILE -o a.safetensors",
    ],
    "explain": ["FILE fc1"],
    "fmt": ["FILE", "net.yaml FILE"],
    "generate": ["RUN"],
    "lsp": [],
    "ops": [],
    "predict": ["RUN", "run FILE"],
    "runs": ["RUNS"],
    "schema": [],
    "serve": [],  # goes on, and shows what is wrong with a file
    "summary": ["FILE"],
    "train": ["FILE"],
    "verify": ["FILE"],
    "weights": [
        "check FILE net.safetensors",
        "check net.yaml FILE.safetensors",
    ],
}
FILES = [f"{command} {line}" for command, lines in LINES.items() for line in lines]

# Options with values that they do not take.
OPTIONS = [
    "serve none/none.yaml",
    "serve net.yaml --port 70000",
    "serve net.yaml --editor nothing",
    "nothing",
    "build",
    "build net.yaml --wrong",
    "build net.yaml --variant none",
    "build net.yaml --set none=1",
    "build net.yaml --set hidden=eight",
    "build net.yaml --set hidden",
    "build net.yaml --out net.yaml",
    "check",
    "check net.yaml --wrong",
    "diagram net.yaml",
    "diagram net.yaml -o a.jpg",
    "diagram net.yaml -o a.dot --block None",
    "diagram net.yaml -o a.dot --direction UP",
    "diagram net.yaml -o none/none/a.dot --depth one",
    "diff net.yaml",
    "diff net.yaml net.yaml -o a.jpg",
    "dump net.yaml --stage none",
    "evaluate",
    "evaluate run --weights none",
    "expand net.yaml --variant none",
    "explain net.yaml none",
    "export net.yaml",
    "export net.yaml -o a.npz",
    "export net.yaml -o a.safetensors --network none",
    "export net.yaml -o a.safetensors --weights best",
    "export run -o a.safetensors --network none",
    "export run -o a.safetensors --set hidden=3",
    "fmt",
    "generate run --tokens many",
    "generate run",  # a classifier generates nothing
    "lsp none",
    "ops none",
    "predict",
    "runs --wrong",
    "schema none",
    "summary net.yaml --at H=2",
    "summary net.yaml --at B=none",
    "summary net.yaml --depth 0",
    "train net.yaml --strategy none",
    "train net.yaml --accelerator none",
    "train net.yaml --logger none",
    "train net.yaml --devices 0",
    "train net.yaml --set task.epochs",
    "verify net.yaml --set none=1",
    "weights",
    "weights check net.yaml",
    "weights check net.yaml net.pt",
    "weights check net.yaml net.safetensors --names none",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spec, weights that fit it, its run, and a damaged file for each."""
    made = tmp_path_factory.mktemp("files")
    (made / "net.yaml").write_text(SPEC)
    (made / "net.pt").write_bytes(b"")
    shapes = {"fc1.weight": (8, 64), "fc1.bias": (8,), "fc2.weight": (10, 8)}
    whole = {name: torch.zeros(shape) for name, shape in shapes.items()}
    save_file(whole | {"fc2.bias": torch.zeros(10)}, made / "net.safetensors")
    command = ["train", str(made / "net.yaml"), "--run", str(made / "run")]
    done = CliRunner().invoke(app, [*command, "--accelerator", "cpu"])
    assert done.exit_code == 0, done.output
    (made / "damaged").write_bytes(b"\xff: [")
    (made / "damaged.safetensors").write_bytes(b"\xff: [")
    broken = made / "damaged_runs" / "run"
    broken.mkdir(parents=True)
    (broken / "run.json").write_bytes(b"\xff: [")
    return made


@pytest.fixture(autouse=True)
def _inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def test_the_table_has_every_command() -> None:
    assert LINES.keys() == Commands().commands.keys()


@pytest.mark.parametrize("line", FILES)
def test_a_file_that_is_not_there(run: Runner, line: str) -> None:
    for place in ("FILE", "RUNS", "RUN"):
        line = line.replace(place, "none/none")
    found = run(*line.split())
    assert (found.code, found.out) == (2, "")
    assert "none/none" in found.err


@pytest.mark.parametrize("line", FILES)
def test_a_file_that_is_damaged(run: Runner, line: str) -> None:
    line = line.replace("FILE", "damaged").replace("RUNS", "damaged_runs")
    found = run(*line.replace("RUN", "damaged_runs/run").split())
    assert found.code == 1
    assert "damaged" in found.err


@pytest.mark.parametrize("line", OPTIONS)
def test_a_command_line_that_is_wrong(run: Runner, line: str) -> None:
    found = run(*line.split())
    assert (found.code, found.out) == (2, "")
    assert found.err


def test_what_does_not_fit(run: Runner, folder: Path) -> None:
    save_file({"fc1.weight": torch.zeros(8, 65)}, folder / "other.safetensors")
    assert run("weights", "check", "net.yaml", "other.safetensors").code == 1
    options = ["-o", "a.safetensors"]
    given = ["--weights", "other.safetensors"]
    assert run("export", "net.yaml", *given, *options).code == 1
    assert run("evaluate", "run", "--weights", "other.safetensors").code == 1


def test_done(run: Runner) -> None:
    for line in ("evaluate run", "schema", "runs .", "check net.yaml"):
        found = run(*line.split())
        assert (found.code, found.err) == (0, "")
