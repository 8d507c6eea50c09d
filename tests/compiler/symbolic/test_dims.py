"""The algebra of shapes agrees with Python's integers and keeps one normal form."""

import copy
import gc
import math
import operator
import pickle
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from compiler.expr.syntax import BinaryOperation, NumberLiteral, Variable, names_in
from compiler.symbolic.dims import (
    MAX_COEFFICIENT,
    MAX_SIZE,
    Dim,
    DimOverflow,
    ceil_div,
    exact_div,
)
from compiler.symbolic.evaluate import evaluate, parse_expression
from compiler.symbolic.symbols import NETWORKS, ListItem, of_networks
from tests.compiler.symbolic.values import dimension

H, W, B, T, K, S = map(dimension, "HWBTKS")
NAMES = ("H", "W", "K")


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}

Formula = Any  # a name, a number, or (left, operator, right)


def formulas(*, symbolic_divisors: bool = True) -> st.SearchStrategy[Formula]:
    """Random formulas whose divisors are never zero where H and K are positive."""
    leaf = st.sampled_from(NAMES) | st.integers(-9, 9)
    divisor: st.SearchStrategy[Formula] = st.integers(1, 7)
    if symbolic_divisors:
        products: list[Formula] = ["K", ("K", "*", "H"), (-2, "*", "K"), ("K", "+", 1)]
        divisor = divisor | st.sampled_from(products)

    def grow(part: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
        return st.tuples(part, st.sampled_from("+-*"), part) | st.tuples(
            part, st.sampled_from(("//", "%")), divisor
        )

    return st.recursive(leaf, grow, max_leaves=8)


def compute(formula: Formula, values: Mapping[str, Any]) -> Any:
    """The formula over ints or over Dims: both have Python's operators."""
    if isinstance(formula, tuple):
        left, symbol, right = formula
        return OPERATIONS[symbol](compute(left, values), compute(right, values))
    return values[formula] if isinstance(formula, str) else formula


def build(formula: Formula) -> Dim:
    try:
        return Dim.of(compute(formula, {"H": H, "W": W, "K": K}))
    except DimOverflow:
        reject()


VALUES = st.fixed_dictionaries(
    {"H": st.integers(1, 40), "W": st.integers(-20, 40), "K": st.integers(1, 9)}
)


@given(formulas(), VALUES)
def test_the_algebra_agrees_with_integers(
    formula: Formula, values: dict[str, int]
) -> None:
    assert build(formula).evaluate(of_networks(values)) == compute(formula, values)


@given(formulas(), VALUES)
def test_printed_text_means_the_same(formula: Formula, values: dict[str, int]) -> None:
    dim = build(formula)
    assert evaluate(parse_expression(str(dim)), values) == compute(formula, values)
    symbols = {name: dimension(name) for name in values}
    assert evaluate(parse_expression(str(dim)), symbols) == dim


@given(formulas(), VALUES)
def test_substitution_agrees_with_evaluation(
    formula: Formula, values: dict[str, int]
) -> None:
    dim = build(formula)
    sizes = of_networks(values)
    assert dim.substitute(sizes) == dim.evaluate(sizes)
    image = {**values, "H": values["W"] + 3, "K": values["K"] + 2}
    if image["H"] != 0:
        try:
            moved = dim.substitute(of_networks({"H": W + 3, "K": K + 2}))
        except DimOverflow:
            reject()
        assert moved.evaluate(sizes) == dim.evaluate(of_networks(image))


@given(formulas(), formulas())
def test_equal_polynomials_are_one_object(a: Formula, b: Formula) -> None:
    x, y = build(a), build(b)
    assume((x.size + y.size) ** 2 < MAX_SIZE)
    assert x + y is y + x
    assert x * y is y * x
    assert hash(x + y) == hash(y + x)
    assert (x + y) - y is x
    assert (x + y) * (x - y) is x * x - y * y


@given(formulas(symbolic_divisors=False), formulas(symbolic_divisors=False))
def test_a_product_divides_exactly(a: Formula, b: Formula) -> None:
    x, y = build(a), build(b)
    assume(x.size * y.size < MAX_SIZE)
    if y != 0:
        assert exact_div(x * y, y) == x


FACTORS = st.tuples(*[st.integers(-9, 9)] * 3)
DIVISORS = st.integers(1, 12)


@given(FACTORS, DIVISORS, DIVISORS, st.integers(-9, 9))
def test_nested_floors_are_one(
    factors: tuple[int, int, int], m: int, n: int, c: int
) -> None:
    a, b, constant = factors
    dim = a * H + b * W * K + constant
    assert (dim // m + c) // n is (dim + c * m) // (m * n)


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        ((H + 2 * 3 - 6 - 1) // 2 + 1, "(H + 1) // 2"),
        (((H + 1) // 2 + 1) // 2, "(H + 3) // 4"),
        ((3 * H + 5) // 2, "H + (H + 1) // 2 + 2"),
        (3 * dimension("D"), "3 * D"),
        (4 * dimension("width"), "4 * width"),
        (H + 2 * dimension("padding") - 1, "H + 2 * padding - 1"),
        (T * B, "B * T"),
        (H * H - 2, "H * H - 2"),
        (-2 + H, "H - 2"),
        (1 - H, "1 - H"),
        (-H - 2 * W, "-H - 2 * W"),
        (-(H // 2), "-(H // 2)"),
        (H // 2 * 2, "2 * (H // 2)"),
        ((H // 2) * (W // 2) * B, "B * (H // 2) * (W // 2)"),
        ((H - 1) // 2 + 4 * W, "4 * W + (H + 1) // 2 - 1"),
        (3 * Dim.symbol(ListItem(NETWORKS, "widths", (0,))) - 1, "3 * widths[0] - 1"),
        (ceil_div(H, 4), "(H + 3) // 4"),
        (ceil_div(H, S), "(H - 1) // S + 1"),
        (H * W // (S * W), "H // S"),
        ((H * W + W) // (2 * W), "(H + 1) // 2"),
        ((H * S + H) // (S + 1), "H"),
        ((H + 2 * S - 1) // S, "(H - 1) // S + 2"),
        (H // 2 // S, "H // 2 // S"),
        (H % 2, "H - 2 * (H // 2)"),
        (7 // H, "7 // H"),
        (H - H, "0"),
    ],
)
def test_it_prints_as_a_person_would_write(dim: Dim, text: str) -> None:
    assert str(dim) == text


def test_constants_are_integers() -> None:
    three = Dim.of(3)
    assert three == 3
    assert three == H - H + 3
    assert hash(three) == hash(3)
    assert three.constant == 3
    assert H.constant is None
    assert Dim.of(three) is three
    assert three // 2 == 1
    assert -three // 2 == -2
    assert H != 3


def test_other_types_are_no_operands() -> None:
    with pytest.raises(TypeError):
        H + 0.5  # type: ignore[operator]
    assert H != "H"


def test_expressions_of_dims_are_trees() -> None:
    tree = BinaryOperation(
        "//", BinaryOperation("+", Variable("H"), NumberLiteral(1)), NumberLiteral(2)
    )
    assert ((H + 1) // 2).to_expr() == tree
    assert names_in(Dim.symbol(ListItem(NETWORKS, "widths", (0, 1))).to_expr()) == {
        "widths"
    }


def test_symbols_are_known() -> None:
    assert (H * (W // K) + 3).symbols == H.symbols | W.symbols | K.symbols
    assert (H - H).symbols == frozenset()


def test_substitution_happens_all_at_once() -> None:
    assert (H - 2 * W).substitute(of_networks({"H": W, "W": H})) == W - 2 * H
    untouched = H // 2
    assert untouched.substitute(of_networks({"W": 3})) is untouched


def test_division_by_zero_is_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        H // 0
    with pytest.raises(ZeroDivisionError):
        exact_div(H, 0)
    with pytest.raises(ZeroDivisionError):
        (H // K).substitute(of_networks({"K": 0}))


def test_exact_division_tells_when_there_is_none() -> None:
    assert exact_div(6 * H * W, 3 * W) == 2 * H
    assert exact_div(H * H - W * W, H + W) == H - W
    assert exact_div(H + 1, 2) is None
    assert exact_div(H, W) is None
    assert exact_div(0, W) == 0


def test_rounding_up() -> None:
    for a in range(-9, 10):
        for b in (-3, -1, 1, 2, 5):
            assert ceil_div(a, b) == -(-a // b)


def test_growth_is_bounded() -> None:
    with pytest.raises(DimOverflow):
        Dim.of(MAX_COEFFICIENT) * 2
    with pytest.raises(DimOverflow):
        math.prod([H] * 2_000)
    many = sum((dimension(f"s{i}") for i in range(100)), start=Dim.of(0))
    with pytest.raises(DimOverflow):
        many * many
    with pytest.raises(DimOverflow):
        reduce(lambda deep, _: (3 * deep + W) // 5, range(100), H)


def test_the_largest_sums_print() -> None:
    many = sum((dimension(f"s{i}") for i in range(500)), start=Dim.of(0))
    assert str(many).count("+") == 499


def test_pooling_stays_small_however_deep() -> None:
    size = H
    for _ in range(60):
        size = (size + 1) // 2
    assert str(size) == f"(H + {2**60 - 1}) // {2**60}"


def test_copies_are_the_same_object() -> None:
    dim = H * (W // K) + 3
    assert copy.deepcopy(dim) is dim
    assert pickle.loads(pickle.dumps(dim)) is dim  # noqa: S301 - its own bytes


def test_dims_that_nobody_uses_are_freed() -> None:
    gc.freeze()  # what was there before is not looked at
    for i in range(7_000):
        assert str(dimension(f"s{i}") // 2)
    gc.collect()
    alive = sum(type(thing) is Dim for thing in gc.get_objects())
    gc.unfreeze()
    assert alive < 10_000  # of 14,000; caches keep 8,192
