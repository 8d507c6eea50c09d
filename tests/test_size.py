"""The files of a clone, together, do not grow unnoticed."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_MEGABYTES = 12.5
"""What was reached; code and tests are 7 MB of it, texts and voices to train on 3 MB, which lossless coding cannot
make smaller."""
LARGEST = {
    "runtime/data/files/spoken_numbers.zip",
    "runtime/data/files/rv1909.words.xz",
    "runtime/data/files/kjv.words.xz",
}
"""Files of over 200,000 bytes: data, never what can be generated."""


def test_a_clone_is_small() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    sizes = {
        name: (ROOT / name).lstat().st_size
        for name in listed.split("\0")
        if name and (ROOT / name).is_file()
    }
    assert sum(sizes.values()) <= MOST_MEGABYTES * 1e6
    assert {name for name, size in sizes.items() if size > 200_000} == LARGEST
