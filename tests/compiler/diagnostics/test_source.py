"""Files as text, and places in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.diagnostics.read_source import read_source
from compiler.diagnostics.source import Source, Span


def failure(path: Path, limit: int = 1_000) -> Diagnostic:
    with pytest.raises(SpecError) as caught:
        read_source(path, limit)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def test_lines_end_as_yaml_1_2_ends_them() -> None:
    source = Source("a.yaml", "a\r\nb\rc\n\u2028d")
    assert source.lines == ["a", "b", "c", "\u2028d"]
    assert [source.line(n) for n in (0, 1, 4, 5)] == ["", "a", "\u2028d", ""]


def test_byte_order_mark_is_no_text() -> None:
    assert Source("a.yaml", "\ufeffa").text == "a"


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 1, (1, 1, 1, 2)),
        (2, 6, (1, 3, 2, 3)),
        (4, 5, (2, 1, 2, 2)),
        (-5, 99, (1, 1, 3, 1)),
    ],
)
def test_span_of_offsets(start: int, end: int, expected: tuple[int, ...]) -> None:
    span = Source("a.yaml", "é日\r\nabc\n").span(start, end)
    assert (span.line, span.column, span.end_line, span.end_column) == expected


def test_span_joins_and_names_its_place() -> None:
    span = Span("a.yaml", 1, 2, 1, 3).to(Span("a.yaml", 4, 5, 6, 7))
    assert span == Span("a.yaml", 1, 2, 6, 7)
    assert span.at == "a.yaml:1:2"


def test_reads_utf8_with_any_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("\ufeffé: 1\r\n".encode())
    assert read_source(path, 10) == Source(str(path), "é: 1\r\n")


def test_file_may_be_as_large_as_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"x" * 10)
    assert read_source(path, 10).text == "x" * 10
    assert failure(path, 9).code == "too-large"


def test_missing_file(tmp_path: Path) -> None:
    assert failure(tmp_path / "none.yaml").code == "file-not-found"


@pytest.mark.parametrize("name", [".", "a\0b", "x" * 5_000])
def test_unreadable_path(tmp_path: Path, name: str) -> None:
    code = failure(tmp_path / name).code
    assert code in ("file-unreadable", "file-not-found")


def test_device_is_refused_before_it_is_read() -> None:
    assert failure(Path("/dev/zero")).code == "file-unreadable"


def test_bytes_that_are_not_utf8_are_shown_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("é: 1\nb: é".encode() + b"\xff")
    diagnostic = failure(path)
    assert diagnostic.code == "not-utf8"
    assert diagnostic.span.at == f"{path}:2:5"
    assert "0xff" in diagnostic.message


def test_utf16_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\n", encoding="utf-16")
    assert "UTF-16" in failure(path).message
