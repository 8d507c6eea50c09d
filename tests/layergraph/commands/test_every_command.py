"""What `check` takes, every other command takes.

Commands run as lines on some specs; of the others what they print is made from one program.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from compiler import compile_spec
from tests.fuzz.judge import COMMANDS, RESULTS, run_commands

ROOT = Path(__file__).parents[3]
FEATURES = sorted(ROOT.glob("tests/features/*.yaml"))
SPECS = sorted(ROOT.glob("specs/*.yaml"))[::20]
"""Of the architectures some: their tests run most commands on all."""
LINES = {*FEATURES[::5], *SPECS[::3]}
"""Those on which commands run as lines."""


@pytest.mark.parametrize("spec", FEATURES + SPECS, ids=lambda path: path.stem)
def test_every_command_takes_it(spec: Path, tmp_path: Path) -> None:
    shutil.copytree(spec.parent, tmp_path / "specs")
    path = tmp_path / "specs" / spec.name
    program = compile_spec(path)
    assert all(one.severity == "warning" for one in program.check())
    assert run_commands(program, path, COMMANDS if spec in LINES else RESULTS) is None
