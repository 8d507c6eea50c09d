"""The runs of a folder: sorted, filtered, and those whose process is gone."""

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.diagnostics.diagnostic import RequestError
from runtime.engine.run_folder import FolderLock, RunFolder
from runtime.list_runs import filtered, list_runs, ordered
from tests.layergraph.commands.command import Runner

INFO = {
    "name": "Net",
    "kind": "classification",
    "spec": "net.yaml",
    "variant": "",
    "command": "",
    "task": {},
    "status": "finished",
    "epochs": 9,
    "step": 1,
}


def add(folder: Path, name: str, number: int, /, **values: Any) -> Path:
    run = folder / name
    run.mkdir(parents=True)
    times = {"started": f"2026-01-0{number}", "epoch": number, "seconds": 9.0 - number}
    metric = {"metric": "accuracy", "best": None}
    (run / "run.json").write_text(json.dumps({**INFO, **times, **metric, **values}))
    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    runs = tmp_path / "runs"
    add(runs, "a", 1, best=0.5)
    add(runs, "b", 2, best=0.9, name="Other")
    add(runs, "c", 3, kind="forecasting", metric="rmse", best=2.0)
    add(runs, "d", 4, kind="forecasting", metric="rmse", best=1.0, status="failed")
    add(runs, "e", 5)
    return runs


def names(runs: list[dict[str, Any]]) -> str:
    return "".join(Path(run["run"]).name for run in runs)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("started", "abcde"),
        ("seconds", "edcba"),
        ("epochs", "abcde"),
        ("accuracy", "bacde"),
        ("rmse", "dcabe"),
    ],
)
def test_order(folder: Path, by: str, expected: str) -> None:
    assert names(ordered(list_runs(folder), by)) == expected


def test_filters(folder: Path) -> None:
    runs = list_runs(folder)
    assert names(filtered(runs, {"task": "forecasting"})) == "cd"
    assert names(filtered(runs, {"network": "Other", "status": "finished"})) == "b"
    assert filtered(runs, {"status": "none"}) == []


def test_a_damaged_run_is_kept(folder: Path) -> None:
    (folder / "c" / "run.json").write_text("{")
    runs = ordered(filtered(list_runs(folder), {"task": "forecasting"}), "rmse")
    assert names(runs) == "dc"
    assert "error" in runs[1]


@pytest.mark.parametrize("by", ["acuracy", "loss"])
def test_unknown_order(folder: Path, by: str) -> None:
    with pytest.raises(RequestError, match="runs are not sorted by"):
        ordered(list_runs(folder), by)
    with pytest.raises(RequestError, match="runs are not filtered by"):
        filtered(list_runs(folder), {by: "x"})


def test_a_run_whose_process_is_gone(tmp_path: Path) -> None:
    run = RunFolder(add(tmp_path, "a", 1, status="running"))
    with FolderLock(run):
        assert run.is_locked
        assert list_runs(tmp_path)[0]["status"] == "running"
    assert not run.is_locked
    assert list_runs(tmp_path)[0]["status"] == "killed"


def test_the_command(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    run = Runner(capsys, monkeypatch)
    found = run("runs", "--filter", "task=classification", "--sort", "accuracy")
    assert [line.split()[0] for line in found.out.splitlines()] == [
        *("run", "runs/b", "runs/a", "runs/e")
    ]
    assert run("runs", "--filter", "task").code == 2
