import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import RequestError
from runtime.engine.signals import Stopped
from runtime.engine.trainer_state import TrainerState
from tests.runtime.engine.train_specs import (
    CLASSIFICATION,
    SPECS,
    Each,
    assert_same,
    trained,
)

HANGS = 600
"""Seconds after which a process hangs, on a machine however busy."""


def interrupted(
    spec: Path, folder: Path, *steps: int, sent: int = signal.SIGTERM
) -> None:
    """A run that is stopped after each of these steps, and then goes on to its end."""

    def stop(state: TrainerState) -> None:
        if state.step in steps:
            os.kill(os.getpid(), sent)

    for number in range(len(steps)):
        with pytest.raises(Stopped) as stopped:
            trained(spec, folder, resume=number > 0, make_callback=lambda _: Each(stop))
        assert stopped.value.number == sent
        assert json.loads((folder / "run.json").read_text())["status"] == "stopped"
    trained(spec, folder, resume=True)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: str(spec.stem))
def test_a_run_of_any_kind_resumes_exactly(spec: Path, tmp_path: Path) -> None:
    whole = trained(spec, tmp_path / "whole")
    per_epoch = whole.step // whole.epoch
    interrupted(spec, tmp_path / "parts", 2, per_epoch + per_epoch // 2)
    assert_same(tmp_path / "whole", tmp_path / "parts")
    status = json.loads((tmp_path / "parts" / "run.json").read_text())["status"]
    assert status == "finished"


def test_a_run_can_stop_after_any_step(tmp_path: Path) -> None:
    whole = trained(CLASSIFICATION, tmp_path / "whole")
    steps = range(1, whole.step)
    interrupted(CLASSIFICATION, tmp_path / "parts", *steps, sent=signal.SIGINT)
    assert_same(tmp_path / "whole", tmp_path / "parts")


def test_early_stopping_resumes_its_count(tmp_path: Path) -> None:
    text = CLASSIFICATION.read_text().replace("epochs: 3", "epochs: 9")
    spec = tmp_path / "spec.yaml"
    spec.write_text(text.replace("min_delta: 0.001", "min_delta: 0.9"))
    whole = trained(spec, tmp_path / "whole")
    assert (
        whole.epoch == 3
    )  # the first evaluation, and two that are not better by so much
    assert whole.best_epoch > 1
    interrupted(spec, tmp_path / "parts", whole.step - 1)
    assert_same(tmp_path / "whole", tmp_path / "parts")


def test_a_signal_during_an_evaluation_stops_after_it(tmp_path: Path) -> None:
    class Late(Each):
        def on_evaluate(self, state: TrainerState, improved: bool) -> None:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped):
        trained(
            CLASSIFICATION,
            tmp_path,
            make_callback=lambda _: Late(lambda state: None),
        )
    about = json.loads((tmp_path / "run.json").read_text())
    assert (about["epoch"], about["status"]) == (1, "stopped")
    assert len((tmp_path / "metrics.csv").read_text().splitlines()) == 2


def test_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    trained(CLASSIFICATION, tmp_path)
    before = {
        path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()
    }
    state = trained(CLASSIFICATION, tmp_path, resume=True)
    assert state.done
    assert state.epoch == 3
    after = {
        path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()
    }
    assert before == after


def test_a_finished_run_continues_with_more_epochs(tmp_path: Path) -> None:
    trained(CLASSIFICATION, tmp_path)
    more = ("task.epochs=5", "task.early_stopping.patience=9")
    state = trained(CLASSIFICATION, tmp_path, *more, resume=True)
    assert (state.epoch, state.metrics[-1]["epoch"]) == (5, 5)
    about = json.loads((tmp_path / "run.json").read_text())
    assert (about["epochs"], about["task"]["epochs"]) == (5, 5)
    assert "epochs: 5" in (tmp_path / "spec.yaml").read_text()


def test_fixed_settings_cannot_change(tmp_path: Path) -> None:
    trained(CLASSIFICATION, tmp_path)
    with pytest.raises(RequestError, match=r"task.batch_size: 32 -> 64"):
        trained(CLASSIFICATION, tmp_path, "task.batch_size=64", resume=True)
    with pytest.raises(RequestError, match=r"task.optimizer.adamw.eps: 1e-08 -> 0.1"):
        trained(CLASSIFICATION, tmp_path, "task.optimizer.adamw.eps=0.1", resume=True)


def test_data_that_has_changed_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text((CLASSIFICATION.parent / "text.txt").read_text())
    spec = tmp_path / "spec.yaml"
    spec.write_text((CLASSIFICATION.parent / "language_model.yaml").read_text())
    trained(spec, tmp_path / "run")
    text.write_text(text.read_text().replace("W", "9"))
    with pytest.raises(RequestError, match=r"has changed since the run began"):
        trained(spec, tmp_path / "run", resume=True)


def test_a_process_that_is_terminated_saves_first(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    epochs = "task.epochs=12"
    trained(CLASSIFICATION, whole, epochs)
    command = [sys.executable, "cli.py", "train", str(CLASSIFICATION)]
    command += ["--run", str(parts), "--set", epochs, "--accelerator", "cpu"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment
    )
    wait_for(parts / "state.pt", process)
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=HANGS)[1].decode()
    assert process.returncode == 128 + signal.SIGTERM, error
    assert "error: stopped by SIGTERM" in error
    assert not (parts / ".lock").exists()
    trained(CLASSIFICATION, parts, epochs, resume=True)
    assert_same(whole, parts)


def wait_for(file: Path, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + HANGS
    while not file.exists() and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.01)
