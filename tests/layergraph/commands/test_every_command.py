"""What `check` takes, every other command takes.

Commands run as lines on some specs; of the others what they print is made from one program.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from compiler import compile_spec
from tests.fuzz.judge import COMMANDS, RESULTS, run_commands
from tests.programs import compiled

ROOT = Path(__file__).parents[3]
FEATURES = sorted(ROOT.glob("tests/features/*.yaml"))
SPECS = sorted(ROOT.glob("specs/*.yaml"))[::20]
"""Of the architectures some: their tests run most commands on all."""
LINES = {*FEATURES[::5], SPECS[0]}
"""Those on which commands run as lines."""


@pytest.mark.parametrize("spec", FEATURES + SPECS, ids=lambda path: path.stem)
def test_every_command_takes_it(spec: Path, tmp_path: Path) -> None:
    if spec in LINES:
        shutil.copytree(spec.parent, tmp_path / "specs")
        path = tmp_path / "specs" / spec.name
        program, commands = compile_spec(path), COMMANDS
    else:  # what is written is beside no spec
        path = tmp_path / spec.name
        program, commands = compiled(spec), RESULTS
    assert all(one.severity == "warning" for one in program.check())
    assert run_commands(program, path, commands) is None
