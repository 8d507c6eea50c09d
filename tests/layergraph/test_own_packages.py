"""LayerGraph beside folders of the user's own that have the names of its packages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _ran(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One with a package `runtime`, a module `compiler`, and a folder `specs`."""
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "__init__.py").write_text("raise ValueError('not ours')\n")
    (tmp_path / "compiler.py").write_text("name = 'mine'\n")
    (tmp_path / "specs").mkdir()
    return tmp_path


def test_the_command_builds_and_verifies(folder: Path) -> None:
    done = _ran(folder, "-m", "layergraph", "build", "cnn", "--verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "build" / "cnn" / "cnn.py").exists()


def test_the_face_is_imported(folder: Path) -> None:
    code = "import layergraph as lg; print(lg.compile('cnn').name, lg.load('cnn').training)"
    done = _ran(folder, "-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "CNN False\n", "")


def test_a_folder_without_an_init_is_no_package(folder: Path) -> None:
    (folder / "runtime" / "__init__.py").unlink()
    (folder / "compiler.py").unlink()
    done = _ran(folder, "-c", "import layergraph as lg; print(lg.load('cnn').training)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")


def test_another_package_that_is_imported_already(folder: Path) -> None:
    done = _ran(folder, "-c", "import compiler, layergraph")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == (
        "ImportError: another package named compiler is imported already, from "
        f"{folder / 'compiler.py'}, and LayerGraph has one of its own: import layergraph first, or rename the other"
    )
