"""Data that is wrong, and where it is said to be: in the spec, or in a line of a file."""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

import pytest
from PIL import Image

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.diagnostics.render import render_all
from runtime.data.load_data import load
from tests.runtime.data import mistakes_of_images, mistakes_of_series, mistakes_of_texts
from tests.runtime.data.mistakes import Case, mistake
from tests.runtime.data.mistakes_of_images import FOLDER, IDX, LABELS, png
from tests.runtime.data.mistakes_of_texts import TEXT
from tests.runtime.data.section import idx, spec, write

SPEC = "spec.yaml"
CASES = [
    *mistakes_of_texts.CASES,
    *mistakes_of_images.CASES,
    *mistakes_of_series.CASES,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mistake(case: Case, tmp_path: Path) -> None:
    one = mistake(case.data, tmp_path, case.files)
    words = f"{one.message} | {one.help}"
    assert one.code == case.code, words
    assert place(one, tmp_path) == wanted(case), words
    assert all(text in words for text in case.said), words
    assert render_all([one])


def place(one: Diagnostic, folder: Path) -> tuple[str, int, int]:
    file = Path(one.span.file).relative_to(folder).as_posix()
    return file, one.span.line, one.span.column


def wanted(case: Case) -> tuple[str, int, int]:
    if case.blamed.count(":") == 2:
        file, line, column = case.blamed.split(":")
        return file, int(line), int(column)
    lead = "" if case.blamed == "sunspots" else ": "
    line = f"  data: {case.data}"
    return SPEC, 3, line.index(lead + case.blamed + "", 8) + len(lead) + 1


def test_every_code_of_data_is_here() -> None:
    codes = {case.code for case in CASES}
    assert codes == {
        "data-not-found",
        "data-unreadable",
        "data-not-utf8",
        "data-empty",
        "data-format",
        "data-label",
        "data-mismatch",
    }


def test_a_pipe_does_not_keep_us_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t")
    assert stat.S_ISFIFO((tmp_path / "t").stat().st_mode)
    one = mistake(TEXT, tmp_path, {})
    assert one.code == "data-unreadable" and "not a regular file" in one.message


def test_a_pipe_among_images(tmp_path: Path) -> None:
    write(tmp_path, {"p/a/1.png": png()})
    os.mkfifo(tmp_path / "p" / "a" / "2.png")
    assert mistake(FOLDER, tmp_path, {}).code == "data-unreadable"


def test_a_file_that_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    one = mistake(TEXT, tmp_path, {"t": "a"})
    assert one.code == "data-unreadable" and "Permission denied" in one.message


def test_what_a_head_claims_is_not_allocated(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    files = {"i": idx((2**20, 2**10, 2**10), b""), "l": LABELS}
    mistake(IDX, tmp_path, files)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 100_000  # KiB


def test_an_image_that_unpacks_to_gigabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    one = mistake(FOLDER, tmp_path, {"p/a/1.png": png()})
    assert "exceeds limit" in one.message


def test_a_data_set_without_options_is_blamed_by_name(tmp_path: Path) -> None:
    from runtime.data.data_section import DataSection

    document = spec("digits", tmp_path)
    span = DataSection(document, "digits", tmp_path).span("held_out")
    assert (span.line, span.column, span.end_column) == (3, 9, 15)


def test_no_part_may_be_empty(tmp_path: Path) -> None:
    one = mistake_of_task("{digits: {held_out: 0.0}}", tmp_path)
    assert one.code == "data-empty" and "evaluate with" in one.message


def mistake_of_task(data: str, folder: Path) -> Diagnostic:
    """What `load` says of the data of a whole task."""
    from compiler.parse.document import to_data
    from compiler.tasks.kinds.classification import Classification
    from runtime.data.data_section import DataSection

    document = spec(data, folder)
    written = to_data(document.root)["task"] | {"kind": "classification"}
    task = Classification.model_validate(written)
    with pytest.raises(SpecError) as caught:
        load(task, DataSection(document, task.data.name, folder))
    return caught.value.diagnostics[0]
