"""The invariants of a Namespace."""

from __future__ import annotations

import builtins
import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.codegen.namespace import ALWAYS_RESERVED, Namespace


@given(st.lists(st.text(max_size=8) | st.sampled_from(["x", "x_2", "x_3", "_", "if"])))
def test_names_are_identifiers_and_all_different(wanted: list[str]) -> None:
    scope = Namespace(reserved={"x"})
    given_names = [scope.fresh(text) for text in wanted]
    assert len(set(given_names)) == len(given_names)
    for name in given_names:
        assert name.isidentifier()
        assert name.isascii()
        assert name not in ALWAYS_RESERVED | {"x"}
        assert not keyword.iskeyword(name)
        assert not keyword.issoftkeyword(name)
        assert not name.startswith("__")
        assert name in scope


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("conv1", "conv1"),
        ("Block", "Block"),
        ("_private", "_private"),
        ("lambda", "lambda_"),
        ("self", "self_"),
        ("torch", "torch_"),
        ("range", "range_"),
        ("l", "l_"),
        ("__dunder__", "_dunder__"),
        ("widths[0]", "widths_0"),
        ("2d", "x2d"),
        ("", "x"),
        ("é", "x"),
    ],
)
def test_a_name_stays_close_to_the_wanted_one(wanted: str, got: str) -> None:
    assert Namespace().fresh(wanted) == got


def test_repeats_are_numbered() -> None:
    scope = Namespace()
    assert [scope.fresh("x") for _ in range(3)] == ["x", "x_2", "x_3"]
    assert scope.fresh("x_2") == "x_2_2"


def test_scopes_do_not_share_names() -> None:
    assert Namespace().fresh("x") == Namespace().fresh("x") == "x"


def test_many_repeats_take_linear_time() -> None:
    scope = Namespace()
    assert [scope.fresh("x") for _ in range(50_000)][-1] == "x_50000"


def test_the_written_lists_cover_this_interpreter() -> None:
    assert set(keyword.kwlist) | set(keyword.softkwlist) <= ALWAYS_RESERVED
    assert {"range", "len", "super", "float"} <= ALWAYS_RESERVED & set(dir(builtins))
