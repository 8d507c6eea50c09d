"""Problems: collected, worded, drawn."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.diagnostics.codes import CODES
from compiler.diagnostics.diagnostic import (
    Diagnostic,
    Report,
    SpecError,
    suggest,
)
from compiler.diagnostics.render import as_json, render
from compiler.diagnostics.source import Source, Span


def span(line: int = 1, column: int = 1, width: int = 1) -> Span:
    return Span("a.yaml", line, column, line, column + width)


def drawn(text: str, diagnostic: Diagnostic) -> str:
    return render([diagnostic], {"a.yaml": Source("a.yaml", text)})


def caret_lines(text: str, column: int, width: int) -> tuple[str, str]:
    diagnostic = Diagnostic("bad-value", "no", span(1, column, width))
    lines = drawn(text, diagnostic).split("\n")
    return lines[3].removeprefix("1 | "), lines[4].removeprefix("  | ")


def test_codes_are_kebab_case_with_one_sentence() -> None:
    for code, sentence in CODES.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
        assert sentence.endswith(".") and sentence[0].isupper()


def test_unknown_code_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="no-such-code"):
        Diagnostic("no-such-code", "", span())


def test_report_raises_all_that_it_has() -> None:
    report = Report()
    report.warning("unused-layer", span(1), "unused")
    report.raise_if_failed()
    assert not report.failed
    report.error("cycle", span(2), "round", path="Net.a", help="cut it")
    with pytest.raises(SpecError) as caught:
        report.raise_if_failed()
    assert [d.code for d in caught.value.diagnostics] == ["unused-layer", "cycle"]
    assert str(caught.value).split("\n")[1] == "a.yaml:2:1: error[cycle]: round"


def test_one_fault_at_one_place_is_one_problem() -> None:
    report = Report()
    report.warning("cycle", span(), "maybe", help="look")
    report.error("cycle", span(), "first")
    report.error("cycle", span(), "second", help="other")
    report.error("bad-when", span(), "another code")
    first, other = report.diagnostics
    assert (first.message, first.severity, first.help) == ("first", "error", "look")
    assert other.message == "another code"


def test_problems_beyond_the_limit_are_counted() -> None:
    report = Report()
    for line in range(1, 251):
        report.error("cycle", span(line), "round")
    assert report.full
    *kept, last = report.diagnostics
    assert len(kept) == 100
    assert last.code == "too-many-problems" and last.span.line == 101
    assert last.message == "150 more problems are not shown"


def test_warnings_make_room_for_errors() -> None:
    report = Report(limit=2)
    report.warning("unused-layer", span(1), "one")
    report.warning("unused-layer", span(2), "two")
    report.error("cycle", span(3), "three")
    report.warning("unused-layer", span(4), "four")
    assert [d.message for d in report.diagnostics[:2]] == ["one", "three"]
    assert report.diagnostics[2].message == "2 more problems are not shown"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("kernal_size", "kernel_size"),
        ("kernelSize", "kernel_size"),
        ("kernel", "kernel_size"),
        ("Linear", "linear"),
        ("xyz", None),
        ("stride", None),
        ("s" * 100_000, None),
    ],
)
def test_suggest(word: str, expected: str | None) -> None:
    answer = suggest(word, ["stride", "kernel_size", "linear"])
    assert answer == (expected and f"did you mean `{expected}`?")


def test_render_is_what_the_design_shows() -> None:
    line = "  sum: {op: add, in: [x, conv2]}"
    source = Source("specs/resnet.yaml", "\n" * 30 + line)
    diagnostic = Diagnostic(
        "shape-mismatch",
        "add needs shapes that broadcast",
        Span("specs/resnet.yaml", 31, 22, 31, 32),
        label="x is float[B, 64, H, W]",
        path="ResNet.layer2[0].sum",
        help="they agree for no H",
    )
    assert render([diagnostic], {source.file: source}) == (
        """\
error[shape-mismatch]: add needs shapes that broadcast
  --> specs/resnet.yaml:31:22
   |
31 |   sum: {op: add, in: [x, conv2]}
   |                      ^^^^^^^^^^ x is float[B, 64, H, W]
   = in ResNet.layer2[0].sum
   = help: they agree for no H
"""
    )


def test_diagnostics_are_parted_by_a_blank_line() -> None:
    one = Diagnostic("cycle", "round", span(), label="here")
    text = "error[cycle]: round\n --> a.yaml:1:1\n  = here\n"
    assert render([one, one], {}) == f"{text}\n{text}"
    assert render([], {}) == ""


def test_span_of_many_lines_is_marked_to_the_end_of_the_first() -> None:
    diagnostic = Diagnostic("cycle", "round", Span("a.yaml", 1, 3, 3, 2))
    assert drawn("a bcd  \ne\nfg", diagnostic).endswith("1 | a bcd\n  |   ^^^\n")


@pytest.mark.parametrize(
    ("text", "column", "width", "expected"),
    [
        ("a: b", 4, 1, ("a: b", "   ^")),
        ("a:", 3, 0, ("a:", "  ^")),
        ("\ta:\tb", 5, 1, ("    a:    b", "          ^")),
        ("日本: 語x", 5, 1, ("日本: 語x", "      ^^")),
        ("e\u0301: b", 5, 1, ("e\u0301: b", "   ^")),
        ("\x1b[2J: b", 7, 1, ("\\x1b[2J: b", "         ^")),
        ("a\u202e: b", 2, 1, ("a\\u202e: b", " ^^^^^^")),
        ("a: b", 90, 5, ("a: b", "    ^")),
    ],
)
def test_carets_stand_under_the_place(
    text: str, column: int, width: int, expected: tuple[str, str]
) -> None:
    assert caret_lines(text, column, width) == expected


def test_long_lines_are_cut_around_the_place() -> None:
    text = "x" * 5_000 + "BAD" + "y" * 5_000
    line, carets = caret_lines(text, 5_001, 3)
    assert line.startswith("…xxx") and line.endswith("yyy…") and len(line) < 120
    assert line[carets.index("^") : len(carets)] == "BAD"


def test_long_places_are_cut() -> None:
    line, carets = caret_lines("x" * 5_000, 1, 5_000)
    assert len(line) < 120 and len(carets) < 120


def test_messages_cannot_move_the_cursor() -> None:
    evil = "\x1b[31m\r\nfoo\u202e"
    diagnostic = Diagnostic("cycle", evil, span(), evil, evil, evil)
    text = render([diagnostic], {"a.yaml": Source("a.yaml", evil)})
    assert text.replace("\n", "").isprintable()


def test_color_is_all_that_color_adds() -> None:
    diagnostic = Diagnostic("cycle", "round", span(), "here", "Net.a", "cut")
    sources = {"a.yaml": Source("a.yaml", "abc")}
    colored = render([diagnostic], sources, color=True)
    assert "\x1b[1;31m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render([diagnostic], sources)


def test_json_holds_every_field() -> None:
    diagnostic = Diagnostic("cycle", "round", span(3, 5, 2), "l", "Net.a", "cut")
    (data,) = json.loads(json.dumps(as_json([diagnostic])))
    assert data == {
        "code": "cycle",
        "severity": "error",
        "message": "round",
        "file": "a.yaml",
        "line": 3,
        "column": 5,
        "end_line": 3,
        "end_column": 7,
        "path": "Net.a",
        "help": "cut",
    }


@settings(database=None, max_examples=100, deadline=None)
@given(text=st.text(), places=st.tuples(*[st.integers(1, 30)] * 4))
def test_any_place_of_any_text_is_drawn(
    text: str, places: tuple[int, int, int, int]
) -> None:
    diagnostic = Diagnostic("cycle", text, Span("a.yaml", *places), text, text, text)
    answer = drawn(text, diagnostic)
    assert answer.replace("\n", "").isprintable() and "^" in answer + "^"
