import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from layergraph.__main__ import app

pytestmark = pytest.mark.first

ROOT = Path(__file__).parents[3]

CLASSIFIER = """
name: Net
inputs:
  image: float[B, 1, 8, 8]
layers:
  flat: flatten
  fc1: {op: linear, out_features: 16}
  act: tanh
  fc2: {op: linear, out_features: 10}
  unused: {op: linear, out_features: 1, in: act}
outputs:
  logits: fc2
  size: unused
task:
  kind: classification
  data: digits
  epochs: 2
  batch_size: 64
  clip: 1.0
  optimizer: {adamw: {lr: 1e-2}}
"""

LANGUAGE_MODEL = [
    *("--set", "vocab=36", "--set", "width=16", "--set", "depth=2", "--set", "heads=2"),
    *("--set", "context=16", "--set", "task.epochs=2", "--set", "task.batch_size=8"),
]

HANGS = 600
"""Seconds, on a machine however busy, after which processes wait for one another: torch's own limit is 1,800."""

DYING = """
import sys
from runtime.engine.run_folder import RunFolder
from runtime.engine.trainer import TrainerOptions, train
from runtime.engine.callbacks import Callback
from compiler import compile_spec

class Dies(Callback):
    def __init__(self, session):
        self.rank = session.fabric.global_rank

    def on_step_end(self, state, losses):
        if self.rank == int(sys.argv[3]) and state.step == 3:
            raise ValueError("the end of one process")

options = TrainerOptions(devices=2, accelerator="cpu", strategy="ddp")
try:
    train(compile_spec(sys.argv[1]), RunFolder(__import__("pathlib").Path(sys.argv[2])), options, Dies)
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def train(*arguments: str, head: tuple[str, ...] = ()) -> None:
    command = [sys.executable, *head, str(ROOT / "cli.py"), "train", *arguments]
    done = subprocess.run(
        [*command, "--accelerator", "cpu"],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        timeout=HANGS,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def train_here(*arguments: str) -> None:
    """Train in this process, which has imported everything already."""
    done = CliRunner().invoke(app, ["train", *arguments, "--accelerator", "cpu"])
    assert done.exit_code == 0, done.output


def losses(run: Path) -> list[float]:
    with (run / "steps.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def metrics(run: Path) -> list[float]:
    with (run / "metrics.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def test_two_processes_equal_one_with_twice_the_batch_size(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(CLASSIFIER)
    two = ("--devices", "2", "--strategy", "ddp", "--set", "task.batch_size=32")
    train_here(str(spec), "--run", str(tmp_path / "one"))
    train(str(spec), "--run", str(tmp_path / "two"), *two)
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-5)
    assert metrics(tmp_path / "two") == pytest.approx(
        metrics(tmp_path / "one"), rel=1e-5
    )


def test_a_sharded_language_model_equals_the_whole_one(tmp_path: Path) -> None:
    text = ROOT / "tests" / "runtime" / "engine" / "specs" / "text.txt"
    data = f"task.data={{text: {{path: {text}, length: 16}}}}"
    spec = ("specs/gpt2.yaml", "--variant", "characters", *LANGUAGE_MODEL)
    spec = (*spec, "--set", data)
    two = ("--devices", "2", "--strategy", "fsdp", "--set", "task.batch_size=4")
    train_here(*spec, "--run", str(tmp_path / "one"))
    train(*spec, "--run", str(tmp_path / "two"), *two)
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)
    assert losses(tmp_path / "two")[-1] < losses(tmp_path / "two")[0]
    more = ("--resume", "--set", "task.epochs=3")
    train(*spec, *two, "--run", str(tmp_path / "two"), *more)
    assert len(metrics(tmp_path / "two")) == 3


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_dies_ends_the_others(tmp_path: Path, rank: int) -> None:
    spec, script = tmp_path / "net.yaml", tmp_path / "dying.py"
    spec.write_text(CLASSIFIER)
    script.write_text(DYING)
    done = subprocess.run(
        [sys.executable, str(script), str(spec), str(tmp_path / "run"), str(rank)],
        env=environment(),
        capture_output=True,
        timeout=HANGS,
        check=False,
    )
    error = done.stderr.decode()
    assert done.returncode != 0
    position = error.index("ValueError: the end of one process")
    assert "another process" not in error[:position]
