"""Run folders that lie: commands say what is wrong, write nothing outside, and delete nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from runtime.engine.checkpointing import Checkpointer
from runtime.tasks import image_evaluator
from tests.runtime.engine.train_specs import SPECS, trained
from tests.runtime.lies.commands import listing, outcome
from tests.runtime.lies.lying_runs import tell_lie

SHORT = [("classification", seed) for seed in range(6)] + [
    ("language_model", seed) for seed in range(6, 12)
]
DEEP = [
    (spec.stem, 100 + 10 * at + seed)
    for at, spec in enumerate(SPECS)
    for seed in range(10)
]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checkpointer, "_plots", lambda keeper, state, now: {})
    monkeypatch.setattr(image_evaluator, "_STEPS", 5)
    monkeypatch.setattr(image_evaluator, "_MAX_IMAGES", 100)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for honest runs."""
    return tmp_path_factory.mktemp("honest")


def honest(kind: str, runs: Path) -> Path:
    """A run of one epoch of a task, trained once."""
    folder = runs / kind
    if not folder.exists():
        (spec,) = (spec for spec in SPECS if spec.stem == kind)
        trained(spec, folder, "task.epochs=1")
    return folder


@pytest.mark.parametrize(("kind", "seed"), SHORT)
def test_a_run_that_lies(
    kind: str,
    seed: int,
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    holds(kind, seed, runs, tmp_path, monkeypatch)


@pytest.mark.deep
@pytest.mark.parametrize(("kind", "seed"), DEEP)
def test_200_runs_that_lie(
    kind: str,
    seed: int,
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    holds(kind, seed, runs, tmp_path, monkeypatch)


def inputs_of(folder: Path) -> list[Path]:
    """Files to predict for: an image, a sound, a table."""
    image, sound, table = (folder / name for name in ("1.png", "1.wav", "1.csv"))
    Image.new("L", (16, 16), 9).save(image)
    soundfile.write(sound, np.zeros(1600), 8000)
    table.write_text("sunspots,age,sex,bmi\n" + "1,2,3,4\n" * 30)
    return [image, sound, table]


def holds(
    kind: str, seed: int, runs: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands on a run that lies end with a code, and what is around it stays as it is."""
    outside, run = folder / "outside", folder / "runs" / "run"
    outside.mkdir()
    for name in ("victim", ".victim.1"):
        (outside / name).write_text("precious")
    shutil.copytree(honest(kind, runs), run)
    lie = tell_lie(run, outside, seed)
    (run / "notes.txt").write_text("mine")
    inputs = [str(file) for file in inputs_of(folder)]
    monkeypatch.chdir(folder)
    out, made = folder / "made", folder / "pictures"
    before = listing(folder)
    reading = (
        ["runs", str(run.parent)],
        ["evaluate", str(run)],
        ["predict", str(run), "In the beginning", "-o", str(made)],
        ["predict", str(run)],
        *(["predict", str(run), file, "--json"] for file in inputs),
        ["generate", str(run), "--label", "1", "-o", str(out)],
        ["generate", str(run), "--prompt", "a", "--tokens", "2", "-o", str(out)],
    )
    for arguments in reading:
        assert outcome(arguments, monkeypatch) in (0, 1, 2), lie
        out.unlink(missing_ok=True)
        shutil.rmtree(made, ignore_errors=True)
        assert listing(folder) == before, (lie, arguments)
    resumed = ["train", str(run), "--resume", "--set", "task.epochs=2"]
    outcome([*resumed, "--accelerator", "cpu"], monkeypatch)
    after = listing(folder)
    inside = "runs/run/"
    assert after.keys() >= before.keys() - {f"{inside}.writing"}
    assert {k: v for k, v in after.items() if not k.startswith(inside)} == {
        k: v for k, v in before.items() if not k.startswith(inside)
    }
    assert (run / "notes.txt").read_text() == "mine"
