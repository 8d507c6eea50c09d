"""The same spec gives the same bytes: whatever the hash seed, folder and locale."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from tests.programs import FOLDER, SPECS, compiled

ROOT = FOLDER.parent
COMPILE = """
import sys
from hashlib import sha256
from pathlib import Path
from compiler import compile_spec

for path in sys.argv[1:]:
    text = compile_spec(path).python
    print(Path(path).stem, sha256(text.encode()).hexdigest())
"""


def test_with_another_hash_seed_by_a_relative_path() -> None:
    """This process has a seed of its own, and absolute paths."""
    assert _compiled(Path("specs"), ROOT, {"PYTHONHASHSEED": "0"}) == _here()


def test_in_another_folder_and_a_bare_locale(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "elsewhere" / "specs")
    bare = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    here = tmp_path / "elsewhere"
    found = _compiled(here / "specs", here, {**bare, "PYTHONHASHSEED": "1"})
    assert found == _here()


def _here() -> dict[str, str]:
    return {spec: sha256(compiled(spec).python.encode()).hexdigest() for spec in SPECS}


def _compiled(folder: Path, cwd: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The hashes that another process gives."""
    paths = [str(folder / f"{spec}.yaml") for spec in SPECS]
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, *paths],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())
