"""Names taken apart and put together again."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.language.name_patterns import parse_pattern, parse_template
from compiler.symbolic.evaluate import ExpressionError


@pytest.mark.parametrize(
    ("pattern", "name", "found"),
    [
        ("fc.weight", "fc.weight", {}),
        ("fc.weight", "fc.bias", None),
        ("fc.weight", "fc.weight.x", None),
        ("h.{i}.{leaf}", "h.12.bias", {"i": 12, "leaf": "bias"}),
        ("h.{i}.{leaf}", "h.12.fc.bias", None),
        ("layer{s}.{b}.conv{k}.{leaf}", "layer1.0.conv2.weight", (1, 0, 2, "weight")),
        ("a.{k}.b", "a.007.b", {"k": "007"}),  # as a number it would lose its zeros
        ("a.{k}.b", "a.0.b", {"k": 0}),
        ("{*rest}", "a.b.c", {"rest": "a.b.c"}),
        ("a.{*rest}.weight", "a.b.c.weight", {"rest": "b.c"}),
        ("a.{*rest}.weight", "a.weight", None),
        ("{x}.{*rest}.{y}", "a.b.c.d", {"rest": "b.c", "x": "a", "y": "d"}),
        ("{a}_{b}", "x_y_z", {"a": "x", "b": "y_z"}),
        ("{a}_{b}_c", "x_y_c_c", {"a": "x", "b": "y_c"}),
        ("{a}_{b}", "_x", None),
        ("in_proj_{leaf}", "in_proj_", None),
    ],
)
def test_match(pattern: str, name: str, found: object) -> None:
    matched = parse_pattern(pattern).match(name)
    if isinstance(found, tuple):
        assert matched is not None
        assert tuple(matched.values()) == found
    else:
        assert matched == found


@pytest.mark.parametrize(
    ("pattern", "start", "end"),
    [
        ("a.{i", 2, 3),
        ("a}.b", 1, 2),
        ("a.{2}", 3, 4),
        ("a.{i + 1}", 3, 8),
        ("a.{i}{k}", 2, 8),
        ("a.x{*rest}", 2, 10),
        ("{*a}.b.{*c}", 7, 11),
        ("a..b", 2, 3),
        ("", 0, 1),
        ("{i}.{i}", 0, 7),
    ],
)
def test_what_is_no_pattern(pattern: str, start: int, end: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_pattern(pattern)
    assert (caught.value.start, caught.value.end) == (start, end)


def test_fill() -> None:
    template = parse_template("stages.{s - 1}.{*rest}")
    assert template.fill({"s": 3, "rest": "conv.bias"}) == "stages.2.conv.bias"
    assert parse_template("plain").fill({}) == "plain"


@pytest.mark.parametrize(
    ("template", "start", "end"),
    [
        ("a.{k}", 3, 4),
        ("a.{leaf + 1}", 3, 7),
        ("a.{i / 2}", 3, 8),
        ("a.{i > 2}", 3, 8),
    ],
)
def test_what_cannot_be_filled(template: str, start: int, end: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_template(template).fill({"i": 3, "leaf": "bias"})
    assert (caught.value.start, caught.value.end) == (start, end)


@pytest.mark.parametrize(
    ("template", "at"), [("a.{i +}", 6), ("a.{}", 3), ("a.{i", 2), ("", 0)]
)
def test_what_is_no_template(template: str, at: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_template(template)
    assert caught.value.start == at


_PART = st.text("ab1_", min_size=1, max_size=6)
_PATTERN = st.lists(
    st.sampled_from(["{0}", "a{0}", "{0}_b", "{0}a{1}", "a", "{0}_{1}_{2}"]),
    min_size=1,
    max_size=4,
)


@given(_PATTERN, st.lists(_PART, min_size=1, max_size=5), st.booleans())
def test_what_matches_is_put_together_again(
    parts: list[str], name: list[str], star: bool
) -> None:
    """What is captured, put where it was captured, is the name."""
    named = [
        part.format(*(f"{{c{n}x{k}}}" for k in range(3)))
        for n, part in enumerate(parts)
    ]
    text = ".".join([*named, *["{*rest}"] * star])
    found = parse_pattern(text).match(".".join(name))
    if found is not None:
        assert parse_template(text).fill(found) == ".".join(name)
        assert all(found.values()) or 0 in found.values()


def test_a_hostile_pattern_is_quick() -> None:
    pattern = parse_pattern("a".join(f"{{c{n}}}" for n in range(200)) + "b")
    start = time.process_time()
    assert pattern.match("a" * 60_000) is None
    assert time.process_time() - start < 1
