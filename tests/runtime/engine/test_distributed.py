import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from layergraph.__main__ import app
from runtime.open_run import open_run
from tests.runtime.engine.train_specs import SPECS

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
    *("--set", "context=16", "--set", "task.epochs=1", "--set", "task.batch_size=8"),
    *("--set", "task.decay_all=false"),  # two groups of parameters
]

HANGS = 1500
"""Seconds, on a machine however busy, after which processes wait for one another: torch's own limit is 1,800."""


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def ran(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command],
        env=environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )


def train(*arguments: str) -> None:
    """Train as a user does: the process starts the other one."""
    done = ran("cli.py", "train", *arguments, "--accelerator", "cpu")
    assert done.returncode == 0, done.stderr


@dataclass(frozen=True)
class Job:
    """A training in two processes; one may raise at its third step. What they print is in the log."""

    arguments: Sequence[str]
    log: str
    dies: int | None = None


def train_forked(*jobs: Job) -> list[list[int]]:
    """The exit codes of the processes of each job, one job after the other."""
    texts = [json.dumps(asdict(job)) for job in jobs]
    done = ran("-m", "tests.runtime.engine.ranks", *texts)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


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
    spec = classifier(tmp_path)
    two = ("--devices", "2", "--strategy", "ddp", "--set", "task.batch_size=32")
    train_here(spec, "--run", str(tmp_path / "one"))
    train(spec, "--run", str(tmp_path / "two"), *two)
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-5)
    assert metrics(tmp_path / "two") == pytest.approx(
        metrics(tmp_path / "one"), rel=1e-5
    )


@dataclass(frozen=True)
class Forked:
    """Trainings in two processes that were forked from one, by name: their exit codes, and what they printed."""

    folder: Path
    codes: dict[str, list[int]]

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Forked:
    """One process for all of them: to import torch takes longer than to train."""
    folder = tmp_path_factory.mktemp("forked")
    spec, frozen = classifier(folder), freezing(folder)
    sharded = (*language_model(folder), "--run", str(folder / "sharded"))
    sharded += ("--devices", "2", "--strategy", "fsdp", "--set", "task.batch_size=4")
    ddp = ("--devices", "2", "--strategy", "ddp")
    half = (*ddp, "--set", "task.batch_size=32")
    arguments = {
        "freezes": (*frozen, "--run", str(folder / "freezes"), *half),
        "sharded": sharded,
        "resumed": (*sharded, "--resume", "--set", "task.epochs=2"),
        "dies 0": (spec, *ddp, "--run", str(folder / "dies 0")),
        "dies 1": (spec, *ddp, "--run", str(folder / "dies 1")),
    }
    dies = {"dies 0": 0, "dies 1": 1}
    jobs = [
        Job(given, str(folder / f"{name}.log"), dies.get(name))
        for name, given in arguments.items()
    ]
    codes = train_forked(*jobs)
    return Forked(folder, dict(zip(arguments, codes, strict=True)))


def classifier(folder: Path) -> str:
    spec = folder / "net.yaml"
    spec.write_text(CLASSIFIER)
    return str(spec)


def freezing(folder: Path) -> tuple[str, ...]:
    """Arguments of a training that begins with some weights frozen, after one that gives it weights."""
    spec, before = folder / "freezes.yaml", str(folder / "before")
    unused = "  unused: {op: linear, out_features: 1, in: act}\n"
    text = CLASSIFIER.replace(unused, "").replace("  size: unused\n", "")
    spec.write_text(text)
    start = '{freeze: ["fc1.{leaf}"], unfreeze_after: 1}'
    train_here(str(spec), "--run", before, "--set", "task.epochs=1")
    return (str(spec), "--set", f"task.start={start}", "--weights", before)


def language_model(folder: Path) -> tuple[str, ...]:
    whole = (Path(__file__).with_name("specs") / "text.txt").read_text()
    text = folder / "text.txt"
    text.write_text(whole[:900])
    data = f"task.data={{text: {{path: {text}, length: 16}}}}"
    return ("recipes/gpt2_characters.yaml", *LANGUAGE_MODEL, "--set", data)


def test_two_processes_freeze_and_unfreeze(forked: Forked, tmp_path: Path) -> None:
    assert forked.codes["freezes"] == [0, 0], forked.log("freezes")
    train_here(*freezing(tmp_path), "--run", str(tmp_path / "one"))
    found = losses(forked.folder / "freezes")
    assert found == pytest.approx(losses(tmp_path / "one"), rel=1e-5)


def test_a_sharded_language_model_equals_the_whole_one(
    forked: Forked, tmp_path: Path
) -> None:
    for name in ("sharded", "resumed"):
        assert forked.codes[name] == [0, 0], forked.log(name)
    train_here(*language_model(tmp_path), "--run", str(tmp_path / "one"))
    both, alone = losses(forked.folder / "sharded"), losses(tmp_path / "one")
    assert both[: len(alone)] == pytest.approx(alone, rel=1e-4)
    assert both[-1] < both[0]
    assert len(metrics(forked.folder / "sharded")) == 2


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_dies_ends_the_others(forked: Forked, rank: int) -> None:
    assert 0 not in forked.codes[f"dies {rank}"]
    error = forked.log(f"dies {rank}")
    position = error.index("ValueError: the end of one process")
    assert "another process" not in error[:position]


@pytest.mark.deep
def test_two_processes_train_and_resume_every_kind_of_task(tmp_path: Path) -> None:
    jobs = {}
    for spec in SPECS:
        told = [str(spec), "--run", str(tmp_path / spec.stem), "--devices", "2"]
        told += ["--strategy", "ddp", "--set", "task.epochs=1"]
        log = str(tmp_path / f"{spec.stem}.log")
        more = [*told[:-1], "task.epochs=2", "--resume"]
        jobs |= {spec.stem: Job(told, log), f"{spec.stem}, resumed": Job(more, log)}
    codes = dict(zip(jobs, train_forked(*jobs.values()), strict=True))
    failed = {name for name, found in codes.items() if found != [0, 0]}
    assert not failed, {name: Path(jobs[name].log).read_text() for name in failed}
    for spec in SPECS:
        assert open_run(tmp_path / spec.stem).evaluate()
        assert len((tmp_path / spec.stem / "metrics.csv").read_text().split()) == 3
