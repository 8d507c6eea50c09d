"""The errors of the parser: their codes, positions and words."""

from __future__ import annotations

import time

import pytest

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.diagnostics.limits import UNLIMITED, Limits
from compiler.diagnostics.source import Source, Span
from compiler.parse.document import to_data
from compiler.parse.parse import parse

DEFAULT = Limits()


def failures(text: str, limits: Limits = DEFAULT) -> tuple[Diagnostic, ...]:
    with pytest.raises(SpecError) as caught:
        parse(Source("a.yaml", text), limits)
    return caught.value.diagnostics


def places(text: str, limits: Limits = DEFAULT) -> list[str]:
    """Every diagnostic as `code line:column underlined text`."""
    source = Source("a.yaml", text)
    return [
        f"{one.code} {one.span.line}:{one.span.column} {cut(source, one.span)}".rstrip()
        for one in failures(text, limits)
    ]


def cut(source: Source, span: Span) -> str:
    """The text of a span, its lines joined by a slash."""
    lines = [source.line(n) for n in range(span.line, span.end_line + 1)]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "/".join(lines)


# --- errors after which parsing goes on


def test_recoverable_errors_are_reported_together() -> None:
    text = """\
? [a]
: b
1: c
true: d
<<: *x
a: &y !!int 3
a: 1
n: 9223372036854775808
f: 1e999
e: "\\x00"
g: {op:linear}
"""
    assert places(text) == [
        "key-not-text 1:3 [a]",
        "key-not-text 3:1 1",
        "key-not-text 4:1 true",
        "yaml-merge-key 5:1 <<",
        "yaml-alias 5:5 *x",
        "yaml-anchor 6:4 &y",
        "yaml-tag 6:7 !!int",
        "duplicate-key 7:1 a",
        "integer-too-large 8:4 9223372036854775808",
        "float-too-large 9:4 1e999",
        'control-character 10:4 "\\x00"',
        "missing-space 11:7 :",
    ]


def test_a_duplicate_key_names_the_line_of_the_first() -> None:
    (diagnostic,) = failures("a:\n  b: 1\n  c: 2\n  'b': 3\n")
    assert diagnostic.message == "duplicate key `b`"
    assert diagnostic.label == "first used on line 2"


@pytest.mark.parametrize("digits", ["9" * 19, "9" * 5_000, "0x" + "f" * 60_000])
def test_integers_have_64_bits(digits: str) -> None:
    assert [one.code for one in failures(f"a: {digits}")] == ["integer-too-large"]


def test_anchors_of_collections() -> None:
    assert places("a: &x {b: !t [1]}\nc: &y\n  d: 1") == [
        "yaml-anchor 1:4 &x",
        "yaml-tag 1:11 !t",
        "yaml-anchor 2:4 &y",
    ]


# --- roots


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty-document 1:1"),
        ("# only\n\n", "empty-document 1:1"),
        ("---\n", "empty-document"),
        ("hello", "not-a-mapping 1:1 hello"),
        ("~", "not-a-mapping 1:1 ~"),
        ("- a\n- b\n", "not-a-mapping 1:1 - a/- b"),
        ("op:linear", "missing-space 1:3 :"),
        ("a: 1\n---\nb: 2\n", "several-documents 2:1 ---"),
        ("a: 1\n...\nb: 2\n", "yaml-syntax 3:1 b: 2"),
        ("%TAG ! x\n---\na: 1", "yaml-directive 1:1 %TAG ! x"),
        ("%FOO\n---\na: 1", "yaml-directive 1:1 %"),
        ("%YAML 2.0\n---\na: 1", "yaml-directive 1:1 %"),
    ],
)
def test_root(text: str, expected: str) -> None:
    (place,) = places(text)
    assert place.startswith(expected)


# --- syntax


@pytest.mark.parametrize(
    ("text", "expected", "words"),
    [
        ("a:\n\tb: 1", "tab-indentation 2:1 \t", "tab"),
        ("a: b\n\tc: d", "tab-indentation 2:1 \t", "tab"),
        ("a: |\n x\n\ty\n", "tab-indentation 3:1 \t", "tab"),
        ("a:1\nb: 2", "missing-space 1:2 :", "space"),
        ("a:\n  # c\n  b:3\n\n  c: 1", "missing-space 3:4 :", "space"),
        ("a:\n  b: 1\n  c:3\n", "missing-space 3:4 :", "space"),
        ("a: b: c", "unquoted-text 1:5 :", "second"),
        ("a: é (b: c)", "unquoted-text 1:8 :", "second"),
        ("a: 1\n  b: 2", "wrong-indentation 2:3 b", "indented more"),
        ("a:\n  b: 1\n    c: 2", "wrong-indentation 3:5 c", "indented more"),
        ("a:\n    b: 1\n  c: 2", "wrong-indentation 3:3 c: 2", "matches no line"),
        ("  a: 1\nb: 2\n", "wrong-indentation 2:1 b: 2", "less"),
        ("- a\nb: c", "wrong-indentation 2:1 b: c", "list"),
        ("a:\n  b\n  c: d", "yaml-syntax 2:3 b", "key: value"),
        ("a:\n  b: 1\n  relu\n", "yaml-syntax 3:3 relu", "key: value"),
        ("a: {b: 1\nc: 2", "unbalanced-brackets 1:4 {", "not closed"),
        ("a:\n  - [b, c\n  - d", "unbalanced-brackets 2:5 [", "not closed"),
        ("a: {b: [", "unbalanced-brackets 1:8 [", "not closed"),
        (
            "a: [1, 2}",
            "unbalanced-brackets 1:9 }",
            "does not match the `[` at column 4",
        ),
        ("a: {b: c}}", "unbalanced-brackets 1:10 }", "no opening bracket"),
        ("a: ]", "unbalanced-brackets 1:4 ]", "no opening bracket"),
        ("a: 'x\nb: 2", "unbalanced-brackets 1:4 '", "quote"),
        ("a: {b: float[B, T]}", "unquoted-text 1:13 [", "brackets must be quoted"),
        ("a: {b: x c: y}", "yaml-syntax 1:11 :", "expected `,` or `}`"),
        ("a: [,]", "yaml-syntax 1:5 ,", "expected a value"),
        ("a: 'it's'", "unquoted-text 1:8 s'", "complete value"),
        ("a: @x", "unquoted-text 1:4 @", "cannot start with `@`"),
        ("a: ? x", "unquoted-text 1:4 ?", "`? `"),
        ("a: - b", "yaml-syntax 1:4 -", "its own line"),
        ("a: |x\n b", "yaml-syntax 1:4 |", "next line"),
        ("a: *.weight", "yaml-alias 1:4 *", "alias"),
        ("a: & b", "yaml-anchor 1:4 &", "anchor"),
        ("a: !e!x b", "yaml-tag 1:4 !", "tag"),
        ('a: "\\q"', "yaml-escape 1:5 \\q", "escape"),
        ('a: "\\ud800"', "yaml-escape 1:5 \\u", "number"),
        ("a: \x1b[2J", "control-character 1:4 \x1b", "\\x1b"),
        ("a: x\u202ey", "control-character 1:5 \u202e", "\\u202e"),
        ("a: '\ud800'", "control-character 1:5 \ud800", "\\ud800"),
    ],
)
def test_syntax(text: str, expected: str, words: str) -> None:
    (diagnostic,) = failures(text)
    assert places(text) == [expected.rstrip()]
    assert words in diagnostic.message


def test_a_syntax_error_comes_after_the_errors_before_it() -> None:
    assert places("a: *x\na: 1\nb: [") == [
        "yaml-alias 1:4 *x",
        "duplicate-key 2:1 a",
        "unbalanced-brackets 3:4 [",
    ]


# --- limits


@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "? ", "[{", "[#\n"])
def test_hundred_thousand_levels_are_a_diagnostic(unit: str) -> None:
    start = time.process_time()
    (diagnostic,) = failures(unit * 100_000, UNLIMITED)
    assert diagnostic.code == "too-deep"
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("text", "limits", "expected"),
    [
        ("a: [[1]]", Limits(depth=2), "too-deep 1:5 ["),
        ("a: [b, c]", Limits(nodes=2), "too-large 1:8 c"),
        ("abc: [bc, d]", Limits(characters=2), "too-large 1:11 d"),
        ("a: xxxx\nb: 'xxxx'", Limits(scalar=3), "too-large 1:4 xxxx"),
        ("a: é", Limits(bytes=4), "too-large 1:1"),
        ("a: 128", Limits(integer_bits=7), "integer-too-large 1:4 128"),
    ],
)
def test_limits(text: str, limits: Limits, expected: str) -> None:
    assert places(text, limits)[0] == expected


def test_limits_are_inclusive() -> None:
    limits = Limits(bytes=9, depth=3, nodes=5, characters=2, scalar=3, integer_bits=7)
    assert to_data(parse(Source("a.yaml", "a: [[-1]]"), limits).root) == {"a": [[-1]]}


def test_tag_directives_take_linear_time() -> None:
    lines = (f"%TAG !a{i}! x" for i in range(50_000))
    (diagnostic,) = failures("a: b\r...\r" + "\r".join(lines))
    assert diagnostic.code == "yaml-directive"
