"""Text -> nodes: values and positions."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compiler.diagnostics.diagnostic import SpecError
from compiler.diagnostics.limits import UNLIMITED, Limits
from compiler.diagnostics.source import Source, Span
from compiler.parse.document import (
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
    to_data,
)
from compiler.parse.parse import parse

DEFAULT = Limits()
SPEC = """\
# A comment
name: Net
description: |
  Two lines,
  the second.

params: {width: 768, rate: 3e-4, "quoted": 'no'}
layers:
  conv1: {op: conv2d, out_channels: 64, bias: false}
  sum: {op: add, in: [conv1, conv1]}
outputs:
- sum
"""


def root(text: str, limits: Limits = DEFAULT) -> MappingNode:
    return parse(Source("a.yaml", text), limits).root


def value(text: str) -> Any:
    return to_data(root(text))["a"]


def cut(source: Source, span: Span) -> str:
    """The text of a span, its lines joined by a slash."""
    lines = [source.line(n) for n in range(span.line, span.end_line + 1)]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "/".join(lines)


# --- values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((word, word) for word in ("no", "on", "yes", "off", "y", "N", "1:30")),
        *((word, word) for word in ("1_000", "2026-01-01", "0b1", "-0x1", "=", "1e")),
        *(
            (word, word)
            for word in ("inf", "nan", "nUll", "tRue", "-x", "+", ".", "0o8")
        ),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        *((word, None) for word in ("", "~", "null", "Null", "NULL")),
        *[
            ("0", 0),
            ("-17", -17),
            ("+5", 5),
            ("0777", 777),
            ("0o17", 15),
            ("0xFf", 255),
        ],
        *[("9223372036854775807", 2**63 - 1), ("-9223372036854775808", -(2**63))],
        *[("3e-4", 3e-4), ("1.", 1.0), (".5", 0.5), ("-2.5E+3", -2500.0), ("1e3", 1e3)],
        *[(".inf", math.inf), ("-.INF", -math.inf), ("+.Inf", math.inf)],
        *[("'3'", "3"), ('"true"', "true"), ("''", ""), ('"a\\tb"', "a\tb")],
        *[("|\n  1\n", "1\n"), (">-\n  x\n  y\n", "x y"), ("'it''s'", "it's")],
        *[("[1, {b: c}]", [1, {"b": "c"}]), ("[]", []), ("{}", {})],
        *[("\n- 1\n-\n", [1, None]), ("\n  b: 1\n  c:\n", {"b": 1, "c": None})],
        *[("x # comment", "x"), ("http://x.y", "http://x.y"), ("float[B, T]?",) * 2],
    ],
)
def test_value(text: str, expected: object) -> None:
    answer = value(f"a: {text}")
    assert answer == expected and type(answer) is type(expected)


def test_nan() -> None:
    assert math.isnan(value("a: .nan"))


def test_quoted_and_unusual_keys() -> None:
    assert to_data(root('no: 1\n"2": 3\n"<<": 4')) == {"no": 1, "2": 3, "<<": 4}


@pytest.mark.parametrize("text", ["\ufeffa: 1", "{a: 1}"])
def test_other_starts_of_a_file(text: str) -> None:
    assert to_data(root(text)) == {"a": 1}


# --- places


def spans(node: YamlNode, source: Source) -> list[str]:
    match node:
        case MappingNode():
            inner = [child for entry in node.entries for child in entry]
        case SequenceNode():
            inner = list(node.items)
        case ScalarNode():
            inner = []
    found = [cut(source, node.span)]
    return found + [text for child in inner for text in spans(child, source)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("é: {ü: '日'}", ["é: {ü: '日'}", "é", "{ü: '日'}", "ü", "'日'"]),
        ("a:\n\n  b: 1\n\n# end\n", ["a://  b: 1", "a", "b: 1", "b", "1"]),
        ("a:\n- 1\n- [2]\n\n", ["a:/- 1/- [2]", "a", "- 1/- [2]", "1", "[2]", "2"]),
        ("a: |\n  x\n  y\n\nb: 1", ["a: |/  x/  y//b: 1", "a", "|/  x/  y", "b", "1"]),
        ("a: x\n  y # c\n", ["a: x/  y", "a", "x/  y"]),
        ("a:\r\n  b: c\r\n", ["a:/  b: c", "a", "b: c", "b", "c"]),
        ("a:\n", ["a:", "a", ""]),
        ("\ufeffa: b", ["a: b", "a", "b"]),
    ],
)
def test_spans(text: str, expected: list[str]) -> None:
    document = parse(Source("a.yaml", text))
    assert spans(document.root, document.source) == expected


def test_positions_of_scalars_on_one_line() -> None:
    document = parse(Source("a.yaml", SPEC))

    def check(node: YamlNode) -> None:
        if isinstance(node, ScalarNode) and node.span.line == node.span.end_line:
            assert cut(document.source, node.span).strip("'\"") == node.text
        for child in _children(node):
            check(child)

    check(document.root)


def _children(node: YamlNode) -> list[YamlNode]:
    if isinstance(node, MappingNode):
        return [child for entry in node.entries for child in entry]
    return list(node.items) if isinstance(node, SequenceNode) else []


# --- speed, and what it takes


def test_hundred_thousand_layers_take_seconds() -> None:
    lines = (f"  l{i}: {{op: linear, out_features: {i}}}" for i in range(100_000))
    text = "layers:\n" + "\n".join(lines)
    start = time.process_time()
    layers = root(text, UNLIMITED).get("layers")
    assert isinstance(layers, MappingNode) and len(layers.entries) == 100_000
    assert time.process_time() - start < 10  # some 2.5 on a laptop


@pytest.fixture
def collector() -> Iterator[None]:
    """The garbage collector is afterwards as it was before."""
    was_enabled = gc.isenabled()
    yield
    if was_enabled:
        gc.enable()
    else:
        gc.disable()


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize("text", ["a: 1", "a: ["])
def test_garbage_collector_is_enabled_again(text: str) -> None:
    gc.enable()
    with suppress(SpecError):
        root(text)
    assert gc.isenabled()


@pytest.mark.usefixtures("collector")
def test_garbage_collector_stays_disabled() -> None:
    gc.disable()
    root("a: 1")
    assert not gc.isenabled()


# --- whatever the text


def survives(text: str) -> None:
    try:
        parse(Source("a.yaml", text))
    except SpecError as error:
        found = error.diagnostics
    else:
        return
    assert found
    lines = Source("a.yaml", text).lines
    for one in found:
        assert 1 <= one.span.line <= len(lines)
        start = one.span.line, one.span.column
        assert start <= (one.span.end_line, one.span.end_column)


YAML_BITS = st.sampled_from(
    [*"abc{}[],:-?&*!|>'\"%@`#\n\r\t ~0.\\\ufeff", ": ", "- ", "\n  ", "...", "---\n"]
)


@settings(database=None, max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.lists(YAML_BITS).map("".join)))
@example("\ud800")
@example("%TAG")
@example("? ")
@example("a: !<")
@example('"\\')
def test_any_text_is_parsed_or_reported(text: str) -> None:
    survives(text)


@settings(database=None, max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(SPEC)), st.integers(0, 9), YAML_BITS), min_size=1
    )
)
def test_any_change_of_a_spec_is_parsed_or_reported(
    changes: list[tuple[int, int, str]],
) -> None:
    text = SPEC
    for start, length, new in changes:
        text = text[:start] + new + text[start + length :]
    survives(text)
