"""Data files that are broken: each is an error with a place, or is read; nothing is written or deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import SpecError
from compiler.diagnostics.render import render_all
from tests.runtime.data.section import read
from tests.runtime.lies.broken_data import WHOLE, write_broken
from tests.runtime.lies.commands import bounded, listing

SHORT = [
    *((name, number) for number, name in enumerate(WHOLE)),
    # a pipe in place of a recording, one image for both parts
    *(("speech", 1197), ("captioned_images", 1550)),
]
DEEP = [
    (name, 1000 + 10 * at + seed) for at, name in enumerate(WHOLE) for seed in range(10)
]


@pytest.mark.parametrize("name", WHOLE)
def test_whole_data_is_read(name: str, tmp_path: Path) -> None:
    data = read(WHOLE[name].data, tmp_path, WHOLE[name].files)
    assert len(data.train) and len(data.held_out)


@pytest.mark.parametrize(("name", "seed"), SHORT)
def test_data_that_is_broken(name: str, seed: int, tmp_path: Path) -> None:
    holds(name, seed, tmp_path)


@pytest.mark.deep
@pytest.mark.parametrize(("name", "seed"), DEEP)
def test_200_data_files_that_are_broken(name: str, seed: int, tmp_path: Path) -> None:
    holds(name, seed, tmp_path)


def holds(name: str, seed: int, folder: Path) -> None:
    """Broken data is read, all its examples too, or is an error that can be shown."""
    outside, inside = folder / "outside", folder / "data"
    for made in (outside, inside):
        made.mkdir()
    (outside / "victim").write_text("precious")
    broken = write_broken(name, inside, outside, seed)
    before = listing(folder)
    try:
        with bounded():
            data = read(WHOLE[name].data, inside)
            for part in (data.train, data.held_out):
                if len(part):
                    part.__getitems__(list(range(len(part))))
    except SpecError as error:
        render_all(error.diagnostics)
    except BaseException as error:
        raise AssertionError(broken) from error
    assert listing(folder) == before, broken
