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
from tests.runtime.data import (
    errors_of_images,
    errors_of_series,
    errors_of_tables,
    errors_of_texts,
)
from tests.runtime.data.error_case import Case, error_of
from tests.runtime.data.errors_of_images import FOLDER, IDX, LABELS, png
from tests.runtime.data.errors_of_texts import TEXT
from tests.runtime.data.section import idx, read, spec, write

SPEC = "spec.yaml"
CASES = [
    *errors_of_texts.CASES,
    *errors_of_images.CASES,
    *errors_of_series.CASES,
    *errors_of_tables.CASES,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_data_error(case: Case, tmp_path: Path) -> None:
    one = error_of(case.data, tmp_path, case.files)
    words = f"{one.message} | {one.help}"
    assert one.code == case.code, words
    assert position(one, tmp_path) == expected(case), words
    assert all(text in words for text in case.contains), words
    assert render_all([one])


def position(one: Diagnostic, folder: Path) -> tuple[str, int, int]:
    file = Path(one.span.file).relative_to(folder).as_posix()
    return file, one.span.line, one.span.column


def expected(case: Case) -> tuple[str, int, int]:
    if case.position.count(":") == 2:
        file, line, column = case.position.split(":")
        return file, int(line), int(column)
    lead = "" if case.position == "sunspots" else ": "
    line = f"  data: {case.data}"
    return SPEC, 3, line.index(lead + case.position + "", 8) + len(lead) + 1


def test_every_code_of_data_errors_has_a_case() -> None:
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


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t")
    assert stat.S_ISFIFO((tmp_path / "t").stat().st_mode)
    one = error_of(TEXT, tmp_path, {})
    assert one.code == "data-unreadable" and "not a regular file" in one.message


def test_a_pipe_among_images(tmp_path: Path) -> None:
    write(tmp_path, {"p/a/1.png": png()})
    os.mkfifo(tmp_path / "p" / "a" / "2.png")
    assert error_of(FOLDER, tmp_path, {}).code == "data-unreadable"


def test_a_file_without_read_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "t").write_text("a")
    monkeypatch.setattr(Path, "open", refuse)
    one = error_of(TEXT, tmp_path, {})
    assert one.code == "data-unreadable" and "Permission denied" in one.message


def test_sizes_that_a_header_claims_are_not_allocated(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    files = {"i": idx((2**20, 2**10, 2**10), b""), "l": LABELS}
    error_of(IDX, tmp_path, files)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 100_000  # KiB


def test_an_image_that_unpacks_to_gigabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)
    one = error_of(FOLDER, tmp_path, {"p/a/1.png": png()})
    assert "exceeds limit" in one.message


def test_errors_of_a_data_set_without_options_are_at_its_name(tmp_path: Path) -> None:
    from runtime.data.data_section import DataSection

    document = spec("digits", tmp_path)
    span = DataSection(document, "digits", tmp_path).span("held_out")
    assert (span.line, span.column, span.end_column) == (3, 9, 15)


def test_no_part_may_be_empty(tmp_path: Path) -> None:
    one = error_of_task("{digits: {held_out: 0.001}}", tmp_path)
    assert one.code == "data-empty" and "evaluate with" in one.message


def error_of_task(data: str, folder: Path) -> Diagnostic:
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


def test_files_of_file_managers_are_no_images(tmp_path: Path) -> None:
    folders = {f"p/{label}/{i}.png": png() for label in "ab" for i in range(5)}
    files = {"p/a/Thumbs.db": b"no image", "p/desktop.ini": b"[.ShellClassInfo]"}
    data = read(FOLDER, tmp_path, {**folders, **files})
    assert len(data.train) + len(data.held_out) == 10
