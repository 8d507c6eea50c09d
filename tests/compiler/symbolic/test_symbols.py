"""Symbols are told apart by what they are, and read alike only where nothing else in sight does."""

import copy
import gc
import pickle

import pytest

from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import parse_expression
from compiler.symbolic.symbols import (
    NETWORKS,
    CopyNumber,
    EllipsisDim,
    InputDim,
    ListItem,
    Opaque,
    ParamNumber,
    Symbol,
    symbol_of,
)
from compiler.symbolic.tensor import TensorType, shape_text

BLOCK = ("net.yaml", "blocks", "Inner")
FORMULA = symbol_of(BLOCK, parse_expression("min(width, 8)"))
ALL = [
    InputDim(NETWORKS, "T"),
    InputDim(BLOCK, "T"),
    ParamNumber(BLOCK, "T"),
    ListItem(BLOCK, "widths", (1,)),
    ListItem(BLOCK, "widths", (1, 0)),
    EllipsisDim(BLOCK, "", 10),
    EllipsisDim(BLOCK, "x1", 0),
    EllipsisDim(BLOCK, "x", 10),
    CopyNumber(BLOCK),
    FORMULA,
]


def test_two_symbols_are_one_object_or_differ() -> None:
    assert len(set(ALL)) == len(ALL)
    assert InputDim(BLOCK, "T") is InputDim(BLOCK, "T")
    assert EllipsisDim(BLOCK, "x1", 0) != EllipsisDim(BLOCK, "x", 10)
    for symbol in ALL:
        assert copy.deepcopy(symbol) is symbol
        assert pickle.loads(pickle.dumps(symbol)) is symbol  # noqa: S301 - its own bytes


def test_the_order_is_total_and_follows_the_text() -> None:
    backwards = ALL[::-1]
    assert sorted(ALL) == sorted(backwards)
    assert all((a < b) != (b < a) for a in ALL for b in ALL if a is not b)
    total = sum(map(Dim.symbol, ALL), start=Dim.of(0))
    assert total is sum(map(Dim.symbol, reversed(ALL)), start=Dim.of(0))
    names = [str(InputDim(NETWORKS, name)) for name in "WBH"]
    assert sorted(names) == [
        str(one) for one in sorted(InputDim(NETWORKS, n) for n in "WBH")
    ]


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("widths[1]", ListItem(BLOCK, "widths", (1,))),
        ("grid[0][2]", ListItem(BLOCK, "grid", (0, 2))),
    ],
)
def test_an_item_by_its_number_is_that_of_the_list(text: str, symbol: Symbol) -> None:
    assert symbol_of(BLOCK, parse_expression(text)) is symbol


@pytest.mark.parametrize(
    "text", ["widths[-1]", "widths[i + 1]", "len(widths)", "a if b else c"]
)
def test_any_other_formula_stays_whole(text: str) -> None:
    symbol = symbol_of(BLOCK, parse_expression(text))
    assert isinstance(symbol, Opaque)
    assert symbol.expr == parse_expression(text)
    assert str(symbol) == text


def test_formulas_have_brackets_where_they_need_some() -> None:
    choice = Dim.symbol(symbol_of(BLOCK, parse_expression("4 if wide else 2")))
    assert str(2 * Dim.symbol(FORMULA) + 1) == "2 * min(width, 8) + 1"
    assert str(choice) == "4 if wide else 2"
    assert str(3 * choice) == "3 * (4 if wide else 2)"


def test_symbols_that_read_alike_are_told_apart_in_one_text() -> None:
    outer, inner = (Dim.symbol(InputDim(one, "T")) for one in (NETWORKS, BLOCK))
    assert str(outer + 2 * inner) == "T + 2 * T of Inner"
    assert str(inner) == "T"
    assert str(TensorType("float", (outer, inner))) == "float[T, T of Inner]"
    dots = [
        Dim.symbol(EllipsisDim(BLOCK, port, n))
        for port, n in (("", 0), ("", 1), ("x", 0))
    ]
    assert shape_text((*dots, inner)) == "[..., ...x, T]"


def test_alone_is_the_symbol_that_a_size_is() -> None:
    symbol = InputDim(NETWORKS, "T")
    size = Dim.symbol(symbol)
    assert size.alone is symbol
    for other in (size + 1, 2 * size, size * size, size // 2, Dim.of(3), Dim.of(0)):
        assert other.alone is None


def test_symbols_that_nobody_uses_are_freed() -> None:
    gc.freeze()  # what was there before is not looked at
    for number in range(1_000):
        assert str(InputDim(NETWORKS, f"only_here_{number}"))
    gc.collect()
    names = [one.name for one in gc.get_objects() if type(one) is InputDim]
    gc.unfreeze()
    assert not any(name.startswith("only_here_") for name in names)
