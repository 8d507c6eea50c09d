"""What the tests of ops draw, and how they look at what came out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from compiler.op.binding import bind, check_arguments
from compiler.op.context import Context
from compiler.op.op import as_tuple
from compiler.op.registry import ops
from compiler.symbolic.dims import Dim
from compiler.symbolic.symbol_table import SymbolTable
from compiler.symbolic.symbols import NETWORKS
from compiler.symbolic.tensor import Kind, TensorType

KINDS: st.SearchStrategy[Kind] = st.sampled_from(("float", "int", "bool"))
SIZES = st.integers(1, 5)
SELDOM = st.integers(0, 9).map(lambda number: number == 7)
"""True in one of ten draws; the ends of a range are drawn more often than that."""
FLOAT: st.SearchStrategy[Kind] = st.just("float")


def type_of(*sizes: int, kind: Kind = "float") -> TensorType:
    """A type of known sizes."""
    return TensorType(kind, tuple(map(Dim.of, sizes)))


def shapes(
    least_rank: int = 0, most_rank: int = 4, sizes: st.SearchStrategy[int] = SIZES
) -> st.SearchStrategy[list[int]]:
    """Shapes of a few dimensions of 1 to 5, or as `sizes` draws them."""
    ranks = st.integers(least_rank, most_rank)
    return ranks.flatmap(lambda n: st.lists(sizes, min_size=n, max_size=n))


def types(
    least_rank: int = 0,
    most_rank: int = 4,
    sizes: st.SearchStrategy[int] = SIZES,
    kinds: st.SearchStrategy[Kind] = FLOAT,
) -> st.SearchStrategy[TensorType]:
    """Types of such shapes, floats unless `kinds` says otherwise."""
    drawn = st.tuples(shapes(least_rank, most_rank, sizes), kinds)
    return drawn.map(lambda pair: type_of(*pair[0], kind=pair[1]))


def of_rank(
    ranks: Sequence[int], sizes: st.SearchStrategy[int] = SIZES
) -> st.SearchStrategy[TensorType]:
    """Float types of one of these ranks, seldom of another."""
    right = st.sampled_from(ranks).flatmap(lambda rank: types(rank, rank, sizes))
    return SELDOM.flatmap(lambda odd: types(1, 5, sizes) if odd else right)


def images(
    spatial: int, channels: st.SearchStrategy[int], most: int = 8
) -> st.SearchStrategy[TensorType]:
    """Float types [N, C, *sizes], or without N."""
    batch = st.lists(st.integers(1, 2), max_size=1)
    sizes = st.lists(st.integers(1, most), min_size=spatial, max_size=spatial)
    shape = st.tuples(batch, channels, sizes)
    return shape.map(lambda drawn: type_of(*drawn[0], drawn[1], *drawn[2]))


@st.composite
def alike(draw: st.DrawFn, shape: Sequence[int]) -> list[int]:
    """The shape, or with sizes left out in front, made 1, or at times made wrong."""
    rarely = st.sampled_from([False, False, True])
    start = draw(st.integers(0, len(shape))) if draw(rarely) else 0
    change = st.sampled_from([0, 0, 0, 1, 1, 5])
    return [draw(change) or size for size in shape[start:]]


def spread(spatial: int, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One value for all dimensions, or a list; once in a while of the wrong length."""
    lists = st.lists(values, min_size=spatial, max_size=spatial)
    wrong = st.lists(values, min_size=spatial + 1, max_size=spatial + 1)
    return st.integers(0, 19).flatmap(
        lambda n: wrong if n == 0 else values if n < 10 else lists
    )


def some(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments, each given or left to its default."""
    return st.fixed_dictionaries({}, optional=strategies)


def label(op_name: str, arguments: dict[str, Any], **inputs: TensorType | None) -> str:
    """What stands beside the op's name in a diagram."""
    kind = ops()[op_name]
    given, problems = check_arguments(kind, arguments)
    assert not problems
    op, ctx = bind(kind, given, {}, SymbolTable({}, {}, NETWORKS)), Context()
    outputs = as_tuple(op.infer(ctx, **inputs))
    return op.label(ctx, outputs, **inputs)


def one_line(lines: str | Iterable[str]) -> str:
    """Code as if no line were too long."""
    text = " ".join(" ".join([lines] if isinstance(lines, str) else lines).split())
    text = re.sub(r",? ([)\]])", r"\1", re.sub(r"([(\[]) ", r"\1", text))
    return text.replace(" .", ".")
