import csv
import threading
from pathlib import Path

import pytest
import torch

from runtime.engine import loop
from runtime.engine.checkpointing import Checkpointer
from runtime.engine.trainer_state import TrainerState
from tests.runtime.engine.conftest import make_plots
from tests.runtime.engine.train_specs import CLASSIFICATION, trained

PNG = b"\x89PNG\r\n\x1a\n"


def test_the_files_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checkpointer, "_plots", make_plots)
    state = trained(CLASSIFICATION, tmp_path)
    files = {
        str(path.relative_to(tmp_path))
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert files == {
        "classification.py",
        "confusion.png",
        "curves.png",
        "classes.csv",
        "metrics.csv",
        "run.json",
        "spec.yaml",
        "state.pt",
        "steps.csv",
        "data.json",
        "vocabulary.json",
        "weights/best.safetensors",
        "weights/last.safetensors",
    }
    for name in ("curves.png", "confusion.png"):
        assert (tmp_path / name).read_bytes().startswith(PNG)
    with (tmp_path / "steps.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == [row["loss"] for row in state.steps]


def test_long_runs_have_rows_for_several_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = trained(CLASSIFICATION, tmp_path / "every").steps
    monkeypatch.setattr(loop, "MAX_STEP_ROWS", 5)
    few = trained(CLASSIFICATION, tmp_path / "few").steps
    assert [row["step"] for row in few] == [4, 8, 12, 16]
    for row in few:
        last = int(row["step"])
        part = [one["loss"] for one in every[last - 4 : last]]
        assert row["loss"] == pytest.approx(sum(part) / 4, abs=1e-12)


def test_a_thread_trains_without_signals(tmp_path: Path) -> None:
    found: list[TrainerState] = []
    thread = threading.Thread(
        target=lambda: found.append(trained(CLASSIFICATION, tmp_path / "thread"))
    )
    thread.start()
    thread.join()
    assert found[0].done


def test_the_global_random_state_does_not_matter(tmp_path: Path) -> None:
    torch.manual_seed(1)
    trained(CLASSIFICATION, tmp_path / "one")
    torch.manual_seed(2)
    trained(CLASSIFICATION, tmp_path / "other")
    weights = "weights/last.safetensors"
    assert (tmp_path / "one" / weights).read_bytes() == (
        tmp_path / "other" / weights
    ).read_bytes()
