"""Files as they come from spreadsheets, other systems and other programs, which are read as they are meant."""

from pathlib import Path

import pytest

from runtime.data.images import stretch_notes
from tests.runtime.data.errors_of_images import png
from tests.runtime.data.section import Files, read, write

LINES = "".join(f"{i},{i * 2}.5,{'ab'[i % 2]}\n" for i in range(10))
PLAIN = "x,y,kind\n" + LINES


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace(",", "|"),
        PLAIN.replace(",", ";").replace(".", ","),
        PLAIN.replace("\n", ",\n"),  # a spreadsheet with a column that was cleared
        PLAIN.replace("\n", ", ,\n"),
        "\ufeff" + PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\n\n"),
    ],
)
def test_the_same_table(text: str, tmp_path: Path) -> None:
    found = read("{table: {path: t, label: kind}}", tmp_path, {"t": text})
    plain = read("{table: {path: p, label: kind}}", tmp_path, {"p": PLAIN})
    assert found.metadata == plain.metadata
    assert [len(found.train), len(found.held_out)] == [8, 2]


def test_a_question_mark_is_a_missing_number(tmp_path: Path) -> None:
    files = {"t": PLAIN.replace("4,8.5", "?,8.5")}
    data = read("{table: {path: t, label: kind}}", tmp_path, files)
    assert [one["name"] for one in data.metadata["numbers"]] == ["x", "y"]


def test_folders_of_archives_are_no_classes(tmp_path: Path) -> None:
    names = ("a/0.png", "a/1.png", "b/0.png", "b/1.png")
    files: Files = {f"p/{name}": png() for name in names}
    files = {**files, "p/__MACOSX/._a": b"x", "p/a/Thumbs.db": b"x"}
    data = read("{image_folder: {path: p, size: 4}}", tmp_path, files)
    assert data.metadata["classes"] == ["a", "b"]


def test_backslashes_in_a_table_of_images(tmp_path: Path) -> None:
    lines = "".join(f"i\\{i}.png;{'ab'[i % 2]}\n" for i in range(10))
    files: Files = {f"i/{i}.png": png() for i in range(10)}
    data = read(
        "{image_table: {path: t, image: file, label: kind, size: 4}}",
        tmp_path,
        {**files, "t": f"file;kind\n{lines}"},
    )
    assert len(data.train) == 8


def test_images_that_are_stretched_are_reported(tmp_path: Path) -> None:
    wide = {f"p/{name}/{i}.png": png(size=(8, 4)) for name in "ab" for i in range(5)}
    data = read("{image_folder: {path: p, size: 4}}", tmp_path, wide)
    (note,) = data.notes
    assert "not squares (8 x 4)" in note and "fit: pad" in note
    padded = read("{image_folder: {path: p, size: 4, fit: pad}}", tmp_path)
    assert not padded.notes
    write(tmp_path, {f"q/{i}.png": png() for i in range(3)})
    assert not stretch_notes(sorted((tmp_path / "q").iterdir()), "stretch")
