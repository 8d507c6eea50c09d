"""docs/zoo.md is current, and no generated file is longer than what others wrote."""

from __future__ import annotations

import pytest

from bench.zoo import PAGE, PICTURES, Entry, entries, page, picture


@pytest.fixture(scope="module")
def zoo() -> list[Entry]:
    return list(entries())


def test_the_page_is_current(zoo: list[Entry]) -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == page(zoo).rstrip() + "\n", "`make docs` writes it anew"


def test_the_pictures_are_current(zoo: list[Entry]) -> None:
    assert {file.stem for file in PICTURES.glob("*.svg")} == {
        entry.file.stem for entry in zoo
    }
    for entry in zoo:
        drawn = (PICTURES / f"{entry.file.stem}.svg").read_bytes()
        assert drawn == picture(entry.program), f"{entry.file.stem}: `make docs`"


def test_no_file_is_longer_than_the_reference(zoo: list[Entry]) -> None:
    longer = {
        f"{entry.file.stem}: {entry.python} lines, {model} {lines}"
        for entry in zoo
        for model, lines in entry.references.items()
        if entry.python > lines
    }
    assert not longer
