"""The shape that a composition gives is that of torch; and what torch refuses is refused."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compiler.checkpoint.assembly import (
    Assembly,
    Chunked,
    Joined,
    Reshaped,
    Sliced,
    Taken,
    Transposed,
    shape_of,
    sources,
)
from runtime.weights import apply

NAMES = ("a", "b", "c")
_DIM = st.integers(-4, 3)
_SHAPE = st.lists(st.sampled_from([1, 2, 4, 6]), min_size=1, max_size=3).map(tuple)


def _more(below: st.SearchStrategy[Assembly]) -> st.SearchStrategy[Assembly]:
    parts = st.lists(below, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Joined, st.sampled_from(["concat", "stack"]), parts, _DIM),
        st.builds(Chunked, below, st.integers(0, 1), st.integers(2, 3), _DIM),
        st.builds(Sliced, below, st.integers(0, 1), st.integers(2, 4), _DIM),
        st.builds(Transposed, below, _DIM, _DIM),
        st.builds(Reshaped, below, st.sampled_from([(-1,), (2, -1), (4,), (2, 2, -1)])),
    )


_MAKING = st.recursive(st.builds(Taken, st.sampled_from(NAMES)), _more, max_leaves=4)


@given(_MAKING, st.fixed_dictionaries(dict.fromkeys(NAMES, _SHAPE)))
def test_shapes_are_those_of_torch(
    assembly: Assembly, shapes: dict[str, tuple[int, ...]]
) -> None:
    tensors = {
        name: torch.arange(torch.Size(shape).numel()).reshape(shape)
        for name, shape in shapes.items()
    }
    try:
        shape = shape_of(assembly, shapes)
    except ValueError:
        return
    assert tuple(apply(assembly, tensors).shape) == shape


@given(_MAKING, st.fixed_dictionaries(dict.fromkeys(NAMES, _SHAPE)))
def test_what_torch_makes_is_not_refused(
    assembly: Assembly, shapes: dict[str, tuple[int, ...]]
) -> None:
    tensors = {name: torch.zeros(shape) for name, shape in shapes.items()}
    try:
        made = apply(assembly, tensors)
    except (RuntimeError, IndexError):
        return
    # What torch rounds down, and equal parts do not: 6 is no two parts of 4.
    uneven = isinstance(assembly, Chunked) or "Chunked" in repr(assembly)
    if not uneven:
        assert shape_of(assembly, shapes) == tuple(made.shape)


def test_sources_are_all_names() -> None:
    parts = (Taken("a"), Transposed(Chunked(Taken("b"), 0, 2, 0), 0, 1))
    assert list(sources(Joined("concat", parts, 0))) == ["a", "b"]


def test_parts_of_a_tensor() -> None:
    tensors = {"a": torch.arange(6).reshape(3, 2), "b": torch.zeros(1, 2).long()}
    assert apply(Chunked(Taken("a"), 2, 3, 0), tensors).tolist() == [[4, 5]]
    assert apply(Sliced(Taken("a"), 1, 2, 1), tensors).tolist() == [[1], [3], [5]]
    both = Joined("concat", (Taken("b"), Taken("a")), 0)
    assert apply(both, tensors)[1:].equal(tensors["a"])


@pytest.mark.parametrize(
    ("assembly", "said"),
    [
        (Chunked(Taken("a"), 0, 4, 0), "[6, 4] has no 4 equal parts along dimension 0"),
        (Sliced(Taken("a"), 0, 5, 1), "[6, 4] ends before 5"),
        (Transposed(Taken("a"), 0, 2), "there is no dimension 2 in a tensor of [6, 4]"),
        (Reshaped(Taken("a"), (5, -1)), "[6, 4] does not become [5, -1]"),
        (Joined("stack", (Taken("a"), Taken("b")), 0), "[6] does not go with [6, 4]"),
        (
            Joined("concat", (Taken("a"), Taken("c")), 0),
            "[6, 2] does not go with [6, 4]",
        ),
    ],
)
def test_misfits(assembly: Assembly, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        shape_of(assembly, {"a": (6, 4), "b": (6,), "c": (6, 2)})
    assert str(caught.value) == said
