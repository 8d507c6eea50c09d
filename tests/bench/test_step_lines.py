"""The lines that decoding takes, as docs/stepping.md has them."""

from __future__ import annotations

from bench.step_lines import PAGE, added, mentions


def test_the_page_has_the_lines_of_gpt2() -> None:
    (row,) = (
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| gpt2 ")
    )
    _, own, carried, theirs = (cell.strip() for cell in row.strip("| ").split("|")[1:])
    assert added("gpt2") == (int(own), int(carried))
    found, whole = mentions("gpt2")
    assert theirs == f"{found} of {whole:,}"
