"""A run folder may come from somebody else, or be a folder with other files: nothing outside or foreign is changed."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import DataError, RequestError
from layergraph.__main__ import app
from runtime.engine.find_nonfinite import TrainingError
from runtime.engine.run_folder import FolderLock, RunFolder
from runtime.list_runs import list_runs
from runtime.open_run import open_run
from tests.runtime.engine.train_specs import CLASSIFICATION, trained


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of one epoch."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    trained(CLASSIFICATION, folder, "task.epochs=1")
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file outside the run folder."""
    file = tmp_path / "victim"
    file.write_text("precious")
    return file


@pytest.mark.parametrize("name", [".lock", ".writing"])
def test_links_of_the_lock_are_not_followed(
    name: str, tmp_path: Path, victim: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / name).symlink_to(victim)
    with pytest.raises(RequestError, match="cannot be used for a run"):
        trained(CLASSIFICATION, folder)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize(
    "name", ["run.json", "weights/last.safetensors", "state.pt", "steps.csv"]
)
def test_links_of_files_are_not_written_through(
    name: str, run: Path, victim: Path
) -> None:
    content = (run / name).read_bytes()
    (run / name).unlink()
    victim.write_bytes(content)
    (run / name).symlink_to(victim)
    with pytest.raises((TrainingError, RequestError, OSError)):
        trained(CLASSIFICATION, run, "task.epochs=2", resume=True)
    assert victim.read_bytes() == content


def test_links_of_folders_are_not_written_through(run: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    shutil.move(run / "weights", outside)
    before = {file: file.read_bytes() for file in outside.iterdir()}
    (run / "weights").symlink_to(outside)
    with pytest.raises(TrainingError, match="a link leads to another file"):
        trained(CLASSIFICATION, run, "task.epochs=2", resume=True)
    assert {file: file.read_bytes() for file in outside.iterdir()} == before


def test_files_of_others_stay(tmp_path: Path) -> None:
    names = [".notes.2024", "sub/.zcompdump-host.59", "weights/.mine.1"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    (tmp_path / ".writing").write_text("../victim\nsub/.zcompdump-host.59\nrun.json\n")
    with FolderLock(RunFolder(tmp_path)):
        pass
    assert all((tmp_path / name).read_text() == "mine" for name in names)


def test_a_run_json_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"scripts": {}}')
    with pytest.raises(
        DataError, match=r"run.json cannot be read: name: Field required"
    ):
        trained(CLASSIFICATION, tmp_path)
    assert (tmp_path / "run.json").read_text() == '{"scripts": {}}'


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_was_killed_before_it_was_saved_begins_again(
    resume: bool, run: Path
) -> None:
    (run / "state.pt").unlink()
    state = trained(CLASSIFICATION, run, "task.epochs=1", resume=resume)
    assert (state.done, state.epoch) == (True, 1)


CONTENTS = {
    "empty": "",
    "list": "[]",
    "null": "null",
    "other keys": '{"a": 1}',
    "wrong types": '{"name": "a", "kind": "b", "status": "c", "seconds": "x"}',
    "deep": "[" * 100_000 + "]" * 100_000,
    "not UTF-8": "\udcff",
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_damaged_json(content: str, run: Path) -> None:
    data = content.encode(errors="surrogateescape")
    for name in ("run.json", "vocabulary.json"):
        before = (run / name).read_bytes()
        (run / name).write_bytes(data)
        with pytest.raises(DataError, match=name):
            open_run(run)
        (run / name).write_bytes(before)
    (run / "run.json").write_bytes(data)
    (row,) = list_runs(run.parent)
    assert "cannot be read" in row["error"]
    with pytest.raises(DataError, match=r"run.json"):
        trained(CLASSIFICATION, run, resume=True)


def as_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def as_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("make", [as_pipe, as_folder, Path.unlink])
@pytest.mark.parametrize(
    "name",
    ["run.json", "spec.yaml", "vocabulary.json", "weights/best.safetensors"],
)
def test_files_that_are_no_files(
    name: str, make: Callable[[Path], None], run: Path
) -> None:
    make(run / name)
    with pytest.raises(Exception) as raised:  # noqa: PT011  # any that commands report
        open_run(run)
    assert type(raised.value).__name__ in ("DataError", "RequestError", "SpecError")


def test_a_run_without_fingerprints_is_evaluated(run: Path) -> None:
    before = open_run(run).evaluate()
    (run / "data.json").unlink()
    assert open_run(run).evaluate() == before


def test_a_run_is_evaluated_where_it_was_moved(run: Path, tmp_path: Path) -> None:
    before = open_run(run).evaluate()
    moved = tmp_path / "elsewhere" / "moved"
    shutil.move(run, moved)
    assert open_run(moved).evaluate() == before


def test_a_run_goes_on_with_what_it_was_told(tmp_path: Path) -> None:
    spec, folder = tmp_path / "spec.yaml", tmp_path / "run"
    spec.write_text(CLASSIFICATION.read_text())
    told = ["--set", "task.epochs=2", "--set", "task.optimizer.adamw.lr=2e-3"]
    train(str(spec), "--run", str(folder), *told)
    for arguments in ([str(folder)], [str(spec), "--run", str(folder)]):
        train(*arguments, "--resume")
        info = json.loads((folder / "run.json").read_text())
        assert (info["status"], info["epoch"]) == ("finished", 2)
        assert info["task"]["optimizer"]["adamw"]["lr"] == 2e-3
    spec.unlink()
    train(str(folder), "--resume", "--set", "task.epochs=3")
    info = json.loads((folder / "run.json").read_text())
    assert (info["epoch"], info["spec"]) == (3, str(spec))
    assert info["sets"] == [*told[1::2], "task.epochs=3"]


def train(*arguments: str) -> None:
    """Run `train`, in this process."""
    app(["train", *arguments, "--accelerator", "cpu"], standalone_mode=False)
