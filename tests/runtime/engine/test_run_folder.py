import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compiler.diagnostics.diagnostic import RequestError
from runtime.engine.run_folder import FolderLock, RunFolder
from tests.runtime.engine.train_specs import CLASSIFICATION, assert_same, trained

HOLD = """
import sys, time
from pathlib import Path
from runtime.engine.run_folder import FolderLock, RunFolder
with FolderLock(RunFolder(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> "subprocess.Popen[bytes]":
    """A process that has a folder."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, **pipes)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_folder_is_locked_by_one_process(tmp_path: Path) -> None:
    process = holder(tmp_path)
    message = f"in use by process {process.pid}"
    with pytest.raises(RequestError, match=message):
        trained(CLASSIFICATION, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    process.communicate()
    trained(CLASSIFICATION, tmp_path)


def test_a_killed_process_releases_its_lock(tmp_path: Path) -> None:
    process = holder(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (tmp_path / ".state.pt.12345").write_bytes(b"half")
    (tmp_path / ".writing").write_text(".state.pt.12345\n.run.json.12345\n")
    with FolderLock(RunFolder(tmp_path)):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_lock_that_is_removed_while_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, opened = FolderLock(RunFolder(tmp_path)), []

    def slow(*given: Any, real: Any = os.open) -> int:
        opened.append(real(*given))
        if len(opened) == 1:
            locked.path.unlink()  # another process leaves
        return int(opened[-1])

    monkeypatch.setattr(os, "open", slow)
    with locked:
        assert len(opened) == 2
        assert os.path.samestat(os.fstat(opened[1]), locked.path.stat())


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(RequestError, match=r"run cannot be used for a run: "):
        trained(CLASSIFICATION, tmp_path / "run")
    assert (tmp_path / "run").read_text() == "mine"


def test_a_folder_that_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any) -> int:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr(os, "open", refuse)  # the file system asks no superuser
    with pytest.raises(
        RequestError, match=r"cannot be used for a run: Permission denied"
    ):
        trained(CLASSIFICATION, tmp_path)


def test_a_run_that_did_not_start_leaves_no_files(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RequestError, match=r"run is not a run: it has no run.json"):
        trained(CLASSIFICATION, folder, resume=True)
    assert not folder.exists()


def test_a_folder_with_a_run(tmp_path: Path) -> None:
    trained(CLASSIFICATION, tmp_path)
    with pytest.raises(RequestError, match=r"has a run: continue it with --resume"):
        trained(CLASSIFICATION, tmp_path)


def test_a_run_of_another_spec(tmp_path: Path) -> None:
    trained(CLASSIFICATION, tmp_path / "run")
    spec, text = tmp_path / "spec.yaml", CLASSIFICATION.read_text()
    spec.write_text(text.replace("out_channels: 4", "out_channels: 5"))
    message = r"another spec: conv.weight is \[4, 1, 3, 3\] in the run and \[5, 1, 3, 3\] in the spec; conv.bias"
    with pytest.raises(RequestError, match=message):
        trained(spec, tmp_path / "run", resume=True)
    spec.write_text(text.replace("act: relu", "act: tanh"))
    with pytest.raises(RequestError, match=r"another spec: class Net differs"):
        trained(spec, tmp_path / "run", resume=True)


def test_the_words_of_a_spec_may_change(tmp_path: Path) -> None:
    trained(CLASSIFICATION, tmp_path / "run")
    spec = tmp_path / "moved.yaml"
    spec.write_text("description: Told otherwise.\n" + CLASSIFICATION.read_text())
    assert trained(spec, tmp_path / "run", resume=True).done


@pytest.mark.parametrize("length", [0, 100, 20_000])
def test_a_damaged_state(tmp_path: Path, length: int) -> None:
    trained(CLASSIFICATION, tmp_path)
    state = tmp_path / "state.pt"
    state.write_bytes(state.read_bytes()[:length])
    with pytest.raises(RequestError, match=r"state.pt is damaged and cannot be read"):
        trained(CLASSIFICATION, tmp_path, resume=True)


def test_a_full_disk(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    trained(CLASSIFICATION, whole)
    command = [sys.executable, "-c", FULL, str(CLASSIFICATION), str(parts)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith(
        "error: the run cannot be written: [Errno 27] File too large"
    )
    assert "saved as of step 6; --resume continues it" in last
    left = [path.name for path in parts.rglob(".*")]
    assert left == []
    trained(CLASSIFICATION, parts, resume=True)
    assert_same(whole, parts)


FULL = """
import resource, signal, sys
from layergraph.__main__ import main
from runtime.engine.checkpointing import Checkpointer

keep, Checkpointer._plots = Checkpointer.on_save, lambda keeper, state, now: {}

def full(keeper, state):
    if state.epoch == 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    keep(keeper, state)

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
Checkpointer.on_save = full
sys.argv = ["cli.py", "train", sys.argv[1], "--run", sys.argv[2], "--accelerator", "cpu"]
main()
"""
