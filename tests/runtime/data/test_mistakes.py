"""Data that is wrong, and where it is said to be: in the spec, or in a line of a file."""

from __future__ import annotations

import gzip
import io
import os
import resource
import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from compiler.diagnostics import Diagnostic, SpecError
from compiler.render import render_all
from runtime.data.load import load
from tests.runtime.data.reading import Files, idx, read, spec, write

SPEC = "spec.yaml"


@dataclass(frozen=True)
class Case:
    """`blamed` is the text of the spec that is to blame, or `file:line:column`."""

    name: str
    data: str
    files: Files
    code: str
    blamed: str
    said: tuple[str, ...] = ()
    id: str = field(default="", compare=False)


def _png(color: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4), color).save(out, "png")
    return out.getvalue()


IMAGES = idx((4, 2, 2), bytes(16))
LABELS = idx((4,), bytes([0, 1, 0, 1]))
IDX = "{idx: {images: i, labels: l}}"
TEXT = "{text: {path: t, length: 4}}"
PAIRS = "{pairs: {path: p}}"
LABELLED = "{labelled_text: {path: l}}"
NUMBERED = "{labelled_text: {path: l, classes: 3}}"
FOLDER = "{image_folder: {path: p, size: 4}}"
SERIES = "{csv: {path: c, columns: [load], length: 4}}"
LONG = "load\n" + "1\n" * 40

CASES = [
    # Files.
    Case("no file", TEXT, {}, "data-not-found", "t", ("there is no", "folder of")),
    Case("an absolute path", "{text: {path: /no/t}}", {}, "data-not-found", "/no/t"),
    Case("a folder", TEXT, {"t/": ""}, "data-unreadable", "t", ("is a folder",)),
    Case(
        "a file on the way",
        "{text: {path: t/u}}",
        {"t": "a"},
        "data-not-found",
        "t/u",
    ),
    Case("no path", '{text: {path: ""}}', {}, "data-unreadable", '""', ("a folder",)),
    Case(
        "a path that is too long",
        f"{{text: {{path: {'t' * 300}}}}}",
        {},
        "data-unreadable",
        "t" * 300,
        ("name too long",),
    ),
    Case(
        "nobody's home",
        "{text: {path: ~nobody-there/t}}",
        {},
        "data-unreadable",
        "~nobody-there/t",
    ),
    Case(
        "broken gzip",
        TEXT,
        {"t": gzip.compress(b"abc" * 100)[:20]},
        "data-unreadable",
        "t",
        ("cannot be read",),
    ),
    Case(
        "gzip with a wrong method",
        TEXT,
        {"t": b"\x1f\x8b\x01" + bytes(20)},
        "data-unreadable",
        "t",
    ),
    # Text.
    Case("an empty text", TEXT, {"t": ""}, "data-empty", "t", ("no text",)),
    Case("only blanks", TEXT, {"t": "\n \r\n"}, "data-empty", "t"),
    Case("only a mark", TEXT, {"t": "\ufeff"}, "data-empty", "t"),
    Case("a short text", TEXT, {"t": "abc def g"}, "data-empty", "t", ("too short",)),
    Case(
        "nothing held out",
        "{text: {path: t, held_out: 0.0}}",
        {"t": "a" * 999},
        "data-empty",
        "t",
        ("evaluate with", "held_out"),
    ),
    Case(
        "Latin-1",
        TEXT,
        {"t": "ab\r\nc é".encode("latin-1")},
        "data-not-utf8",
        "t:2:3",
        ("0xe9", "UTF-8"),
    ),
    Case(
        "Latin-1 behind a mark",
        TEXT,
        {"t": b"\xef\xbb\xbf\xc3\xa9\xff"},
        "data-not-utf8",
        "t:1:2",
    ),
    Case(
        "UTF-16",
        TEXT,
        {"t": "ab".encode("utf-16")},
        "data-not-utf8",
        "t:1:1",
        ("UTF-16",),
    ),
    # Pairs.
    Case(
        "no tab",
        PAIRS,
        {"p": "a\tb\n\nc d\n"},
        "data-format",
        "p:3:1",
        ("the source, a tab and the target", "no tab"),
    ),
    Case(
        "two tabs", PAIRS, {"p": "a\tb\tc\n"}, "data-format", "p:1:1", ("2 tabs", "cut")
    ),
    Case(
        "no target",
        PAIRS,
        {"p": "\ufeffa\tb\nab\t \n"},
        "data-format",
        "p:2:4",
        ("the target is empty",),
    ),
    Case("no source", PAIRS, {"p": "a\tb\n\tb\n"}, "data-format", "p:2:1"),
    Case("one pair", PAIRS, {"p": "a\tb\n"}, "data-empty", "p", ("too few pairs",)),
    Case(
        "long pairs",
        "{pairs: {path: p, words: 2}}",
        {"p": "a\tb\n" + "a b c\td\n" * 9},
        "data-empty",
        "p",
        ("1 of 10 pairs have at most 2 words",),
    ),
    Case("pairs that are binary", PAIRS, {"p": b"\0\xff"}, "data-not-utf8", "p:1:2"),
    # Labelled text.
    Case(
        "a label that is too large",
        NUMBERED,
        {"l": "0\ta\n3\tb\n"},
        "data-label",
        "l:2:1",
        ("the label 3 is not one of 0 to 2",),
    ),
    Case("a label below 0", NUMBERED, {"l": "0\ta\n-1\tb\n"}, "data-label", "l:2:1"),
    Case(
        "a label that is no number",
        NUMBERED,
        {"l": "good\ta\n"},
        "data-label",
        "l:1:1",
        ("the label good is not a number",),
    ),
    Case(
        "a label that is a digit elsewhere",
        NUMBERED,
        {"l": "²\ta"},
        "data-label",
        "l:1:1",
    ),
    Case(
        "a very long label", NUMBERED, {"l": f"{'9' * 9999}\ta"}, "data-label", "l:1:1"
    ),
    Case("no label", LABELLED, {"l": "x\ta\n \tb\n"}, "data-format", "l:2:1"),
    Case(
        "no text",
        LABELLED,
        {"l": "x\ta\nx\t\n"},
        "data-format",
        "l:2:3",
        ("the text is",),
    ),
    Case("one of each label", LABELLED, {"l": "x\ta\ny\tb\n"}, "data-empty", "l"),
    # IDX.
    Case("no labels", IDX, {"i": IMAGES}, "data-not-found", "l"),
    Case("an empty file", IDX, {"i": b"", "l": LABELS}, "data-empty", "i"),
    Case(
        "labels for images",
        IDX,
        {"i": LABELS, "l": LABELS},
        "data-format",
        "i",
        ("no IDX file of images", "0, 0, 8, 3"),
    ),
    Case(
        "floats",
        IDX,
        {"i": idx((1, 1, 1), bytes(4), kind=13), "l": LABELS},
        "data-format",
        "i",
    ),
    Case("a head cut off", IDX, {"i": IMAGES[:9], "l": LABELS}, "data-format", "i"),
    Case(
        "images cut off",
        IDX,
        {"i": IMAGES[:-1], "l": LABELS},
        "data-format",
        "i",
        ("holds 15 values, and says 4 × 2 × 2",),
    ),
    Case("too much", IDX, {"i": IMAGES + b"\0", "l": LABELS}, "data-format", "i"),
    Case(
        "more labels than images",
        IDX,
        {"i": IMAGES, "l": idx((5,), bytes(5))},
        "data-mismatch",
        "l",
        ("4 images and 5 labels",),
    ),
    Case(
        "labels out of range",
        "{idx: {images: i, labels: l, classes: 2}}",
        {"i": IMAGES, "l": idx((4,), bytes([0, 1, 0, 7]))},
        "data-label",
        "l",
        ("the label 7 of image 3",),
    ),
    Case(
        "test labels out of range",
        "{idx: {images: i, labels: l, test_images: i, test_labels: m}}",
        {"i": IMAGES, "l": LABELS, "m": idx((4,), bytes([0, 1, 0, 2]))},
        "data-label",
        "m",
    ),
    Case(
        "test images of another size",
        "{idx: {images: i, labels: l, test_images: j, test_labels: l}}",
        {"i": IMAGES, "l": LABELS, "j": idx((4, 2, 3), bytes(24))},
        "data-mismatch",
        "j",
        ("(2, 2)", "(2, 3)"),
    ),
    Case(
        "no images at all",
        IDX,
        {"i": idx((0, 2, 2), b""), "l": LABELS},
        "data-empty",
        "i",
    ),
    Case(
        "images without pixels",
        IDX,
        {"i": idx((4, 0, 2), b""), "l": LABELS},
        "data-empty",
        "i",
    ),
    Case(
        "2 ** 40 images",
        IDX,
        {"i": idx((2**20, 2**10, 2**10), b""), "l": LABELS},
        "data-format",
        "i",
        ("1048576 × 1024 × 1024",),
    ),
    # Folders of images.
    Case("no folder", FOLDER, {}, "data-not-found", "p"),
    Case("a file for a folder", FOLDER, {"p": "a"}, "data-unreadable", "p"),
    Case("a folder without folders", FOLDER, {"p/a.png": _png()}, "data-empty", "p"),
    Case(
        "a class without images",
        FOLDER,
        {"p/a/1.png": _png(), "p/b/.hidden": ""},
        "data-empty",
        "p",
        ("/b has no images",),
    ),
    Case(
        "what is no image",
        FOLDER,
        {"p/a/1.png": _png(), "p/a/2.png": "no image"},
        "data-unreadable",
        "p",
        ("2.png is no image",),
    ),
    Case(
        "an image cut off",
        FOLDER,
        {"p/a/1.png": _png()[:50]},
        "data-unreadable",
        "p",
        ("1.png is no image",),
    ),
    # CSV.
    Case(
        "no header",
        SERIES,
        {"c": "\n1,2\n3,4\n"},
        "data-format",
        "c:2:1",
        ("must name the columns",),
    ),
    Case(
        "another column",
        "{csv: {path: c, columns: [loda]}}",
        {"c": "time,load\n1,2\n"},
        "data-format",
        "[loda]",
        ("no column loda", "did you mean `load`?"),
    ),
    Case(
        "no such column",
        "{csv: {path: c, columns: [zz]}}",
        {"c": "time,load\n1,2\n"},
        "data-format",
        "[zz]",
        ("it has time, load",),
    ),
    Case(
        "semicolons",
        SERIES,
        {"c": "time;load\n1;2\n"},
        "data-format",
        "[load]",
        ("commas",),
    ),
    Case("a column twice", SERIES, {"c": "load,load\n1,2\n"}, "data-format", "[load]"),
    Case(
        "text for a number",
        SERIES,
        {"c": "time,load\n0,1\n1,much\n"},
        "data-format",
        "c:3:3",
        ("load is much",),
    ),
    Case("infinity", SERIES, {"c": "load\n1e999\n"}, "data-format", "c:2:1"),
    Case("an underscore", SERIES, {"c": "load\n1_0\n"}, "data-format", "c:2:1"),
    Case(
        "a ragged line",
        SERIES,
        {"c": "time,load\n0,1\n1\n"},
        "data-format",
        "c:3:1",
        ("1 value", "2"),
    ),
    Case("an open quote", SERIES, {"c": 'load\n"1\n2\n'}, "data-format", "c:2:1"),
    Case(
        "a huge field", SERIES, {"c": "load\n" + "1" * 140_000}, "data-format", "c:2:1"
    ),
    Case(
        "nothing but gaps", SERIES, {"c": "t,load\n" + "1,\n" * 40}, "data-empty", "c"
    ),
    Case("a header alone", SERIES, {"c": "load\n"}, "data-empty", "c"),
    Case(
        "a short series",
        SERIES,
        {"c": "load\n" + "1\n" * 5},
        "data-empty",
        "c",
        ("too short: 4 of its 5 values are to train on", "there must be 5"),
    ),
    Case(
        "a season longer than the series",
        "{csv: {path: c, columns: [load], length: 4, season: 50}}",
        {"c": LONG},
        "data-empty",
        "c",
        ("there must be 51",),
    ),
    Case(
        "too little held out",
        "{csv: {path: c, columns: [load], length: 4, horizon: 9}}",
        {"c": LONG},
        "data-empty",
        "c",
        ("8 of its 40 values are held out",),
    ),
    Case(
        "a long past",
        "{sunspots: {length: 300}}",
        {},
        "data-empty",
        "sunspots",
        ("247 of its 309",),
    ),
    # Strings.
    Case(
        "too few strings",
        "{strings: {symbols: 2, longest: 4, held_out: 20}}",
        {},
        "data-empty",
        "20",
        ("only 24 strings",),
    ),
]


def mistake(data: str, folder: Path, files: Files) -> Diagnostic:
    with pytest.raises(SpecError) as caught:
        read(data, folder, files)
    (one,) = caught.value.diagnostics
    return one


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
    write(tmp_path, {"p/a/1.png": _png()})
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
    one = mistake(FOLDER, tmp_path, {"p/a/1.png": _png()})
    assert "exceeds limit" in one.message


def test_a_data_set_without_options_is_blamed_by_name(tmp_path: Path) -> None:
    from runtime.data.place import Place

    document = spec("digits", tmp_path)
    span = Place(document, "digits", tmp_path).span("held_out")
    assert (span.line, span.column, span.end_column) == (3, 9, 15)


def test_no_part_may_be_empty(tmp_path: Path) -> None:
    one = mistake_of_task("{digits: {held_out: 0.0}}", tmp_path)
    assert one.code == "data-empty" and "evaluate with" in one.message


def mistake_of_task(data: str, folder: Path) -> Diagnostic:
    """What `load` says of the data of a whole task."""
    from compiler.document import plain
    from compiler.training.tasks.classification import Classification
    from runtime.data.place import Place

    document = spec(data, folder)
    written = plain(document.root)["task"] | {"kind": "classification"}
    task = Classification.model_validate(written)
    with pytest.raises(SpecError) as caught:
        load(task, Place(document, task.data.name, folder))
    return caught.value.diagnostics[0]
