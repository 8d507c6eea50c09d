import io
from pathlib import Path

import pytest
from rich.console import Console

from runtime.engine import progress
from runtime.engine.progress import ProgressCallback
from tests.runtime.engine.train_specs import CLASSIFICATION, trained


def test_lines_where_there_is_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained(CLASSIFICATION, tmp_path, make_callback=ProgressCallback)
    output = capsys.readouterr()
    assert output.out == ""
    lines = output.err.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [
        ["epoch", f"{n}/3"] for n in (1, 2, 3)
    ]
    assert "accuracy" in lines[0]
    assert lines[0].endswith(" *")
    assert lines[3] == "finished: epoch 3 is done"
    assert lines[4].startswith("best accuracy 0.")
    assert lines[4].endswith(": weights/best.safetensors")
    trained(CLASSIFICATION, tmp_path, make_callback=ProgressCallback, resume=True)
    assert capsys.readouterr().err == "the run is finished: epoch 3 is done\n"
    trained(
        CLASSIFICATION,
        tmp_path,
        "task.epochs=4",
        make_callback=ProgressCallback,
        resume=True,
    )
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["resuming in epoch 4, after step 18", "task.epochs: 3 -> 4"]


def test_long_epochs_report_their_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY", 0.0)
    monkeypatch.setattr(progress, "RATE_AFTER", 0.0)
    trained(CLASSIFICATION, tmp_path, make_callback=ProgressCallback)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("epoch 1/3  step 1/18  loss ")
    assert "  lr 0.00033" in lines[0]
    late = [line for line in lines if " steps/s  " in line]
    assert late
    assert all(line.endswith(" left") for line in late)


def test_early_stopping_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopping = ("task.early_stopping.min_delta=0.9", "task.early_stopping.patience=1")
    trained(CLASSIFICATION, tmp_path, *stopping, make_callback=ProgressCallback)
    message = capsys.readouterr().err
    assert (
        "finished: early stopping (evaluations without a better accuracy: 1)\n"
        in message
    )


def test_a_bar_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(progress, "BAR_EVERY", 0.0)
    monkeypatch.setattr(
        progress,
        "Console",
        lambda stderr, quiet: Console(file=screen, force_terminal=True, width=120),
    )
    trained(CLASSIFICATION, tmp_path, make_callback=ProgressCallback)
    screen_text = screen.getvalue()
    assert "\x1b[" in screen_text
    assert "epoch 3/3" in screen_text
    assert "best accuracy" in screen_text
