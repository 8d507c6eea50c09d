"""docs/zoo.md is current, and no generated file is longer than what others wrote."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from bench.zoo import PAGE, Entry, entries, page, picture
from tests.programs import chosen, compiled


@pytest.fixture(scope="module")
def zoo() -> list[Entry]:
    return list(entries(lambda file: compiled(file.stem)))


def test_the_page_is_current(zoo: list[Entry]) -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == page(zoo).rstrip() + "\n", "`make docs` writes it anew"


@pytest.mark.parametrize("spec", chosen())
def test_every_architecture_has_a_diagram(spec: str) -> None:
    drawn = picture(compiled(spec))
    assert ElementTree.fromstring(drawn).tag.endswith("}svg")


def test_no_file_is_longer_than_the_reference(zoo: list[Entry]) -> None:
    longer = {
        f"{entry.file.stem}: {entry.python} lines, {model} {lines}"
        for entry in zoo
        for model, lines in entry.references.items()
        if entry.python > lines
    }
    assert not longer
