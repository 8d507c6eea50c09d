"""The same spec gives the same bytes: whatever the hash seed, folder and locale.

Hash seeds are random in every process of the tests, and tests/golden holds the bytes of every spec; here some specs
are compiled where the seed, the folder and the locale are all others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from tests.programs import CHOSEN, FOLDER, compiled

ROOT = FOLDER.parent
SOME = CHOSEN[::8]
COMPILE = """
import sys
from hashlib import sha256
from pathlib import Path
from compiler import compile_spec

for path in sys.argv[1:]:
    text = compile_spec(path).python
    print(Path(path).stem, sha256(text.encode()).hexdigest())
"""


def test_everything_else_is_different(tmp_path: Path) -> None:
    """Here paths are absolute and the hash seed is random; there all of it is another."""
    here = {spec: sha256(compiled(spec).python.encode()).hexdigest() for spec in SOME}
    shutil.copytree(FOLDER, tmp_path / "specs")
    bare = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert _compiled(tmp_path, {**bare, "PYTHONHASHSEED": "1"}) == here


def _compiled(cwd: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The hashes that another process gives, by relative paths."""
    paths = [f"specs/{spec}.yaml" for spec in SOME]
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, *paths],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())
