"""Small specs for what the language can say, each with its Python beside it.

`pytest tests/test_features.py --update` writes the Python anew; a reader reads the
difference.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from compiler import compile_spec
from runtime.verify import verify

FOLDER = Path(__file__).parent / "features"
SPECS = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_code_is_the_one_that_was_read(spec: Path, pytestconfig: pytest.Config) -> None:
    code = compile_spec(spec).python
    expected = spec.with_suffix(".py")
    if pytestconfig.getoption("update"):
        expected.write_text(code, encoding="utf-8")
    assert code == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_module_is_what_inference_says(spec: Path) -> None:
    assert verify(compile_spec(spec)).problems == ()


def test_code_is_as_a_strict_reviewer_wants_it() -> None:
    """Types by the project's own settings, so that what `make check` found of torch is known."""
    files = [str(spec.with_suffix(".py")) for spec in SPECS]
    for command in (
        ["ruff", "check", "--isolated"],
        ["ruff", "format", "--isolated", "--check"],
        [
            "mypy",
            "--strict",
            "--config-file",
            str(FOLDER.parents[1] / "pyproject.toml"),
        ],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command, *files], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
