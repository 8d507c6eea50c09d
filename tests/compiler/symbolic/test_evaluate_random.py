"""The expression language on random trees and texts."""

import string
from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from compiler.expr.syntax import (
    BinaryOperation,
    BooleanLiteral,
    ComparisonOperation,
    CountedList,
    Expression,
    FunctionCall,
    IfElse,
    Indexing,
    ListLiteral,
    LogicalOperation,
    NamedNumber,
    NumberLiteral,
    Slicing,
    UnaryOperation,
    Variable,
    unparse,
    walk,
)
from compiler.symbolic.dims import Dim
from compiler.symbolic.evaluate import ExpressionError, evaluate, parse_expression
from tests.compiler.symbolic.values import ENV, value


def fault_of(text: str) -> ExpressionError | None:
    """What is wrong with a text; any other exception goes through."""
    try:
        value(text)
    except ExpressionError as error:
        return error
    return None


OPERATORS = ["+", "-", "*", "/", "//", "%", "**"]
OF_ONE = st.sampled_from(("sum", "prod", "round", "sqrt", "log", "exp"))
COMPARISONS = ["==", "!=", "<", "<=", ">", ">="]
SMALL = st.integers(0, 3).map(NumberLiteral) | st.sampled_from((0.5, 1e-5, 1e20)).map(
    NumberLiteral
)
LEAVES: st.SearchStrategy[Expression] = (
    SMALL
    | st.booleans().map(BooleanLiteral)
    | st.just(NamedNumber("pi"))
    | st.sampled_from([*ENV, "unknown", "i"]).map(Variable)
)


def _counts_one_list(expr: CountedList) -> bool:
    """Whether none of its parts is a counted list, which the language refuses."""
    return sum(isinstance(part, CountedList) for part in walk(expr)) == 1


def _larger(part: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    few = st.lists(part, min_size=1, max_size=2).map(tuple)
    return (
        st.builds(UnaryOperation, st.sampled_from(("-", "+", "not")), part)
        | st.builds(BinaryOperation, st.sampled_from(OPERATORS), part, part)
        | st.builds(ComparisonOperation, st.sampled_from(COMPARISONS), part, part)
        | st.builds(
            LogicalOperation,
            st.sampled_from(("and", "or")),
            st.lists(part, min_size=2, max_size=3).map(tuple),
        )
        | st.builds(IfElse, part, part, part)
        | st.builds(FunctionCall, st.sampled_from(("min", "max")), few)
        | st.builds(lambda part: FunctionCall("len", (part,)), part)
        | st.builds(lambda a, b: FunctionCall("ceil_div", (a, b)), part, part)
        | st.builds(lambda name, part: FunctionCall(name, (part,)), OF_ONE, part)
        | st.builds(Indexing, part, part)
        | st.builds(Slicing, part, st.none() | part, st.none() | part)
        | st.builds(ListLiteral, few)
        | st.builds(CountedList, part, part).filter(_counts_one_list)
    )


TREES = st.recursive(LEAVES, _larger, max_leaves=12)


@given(TREES)
def test_what_is_printed_is_read_back(expr: Expression) -> None:
    assert parse_expression(unparse(expr)) == expr


@given(TREES)
def test_evaluation_gives_a_value_or_a_fault(expr: Expression) -> None:
    with suppress(ExpressionError):
        assert isinstance(evaluate(expr, ENV), int | float | str | tuple | Dim)


PIECES = [*"+-*/%()[],<>=!.:$'\"&|~^@\\ \n\0", *string.digits, *ENV, "if", "else"]
PIECES += [
    "and",
    "or",
    "not",
    "min(",
    "len(",
    "ceil_div(",
    "sum(",
    "log(",
    "**",
    "//",
    "==",
    "1e9",
    " for i in ",
    "pi",
    "é",
]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
@example("\ud800")
@example("٣ + 1")
@example("(" * 100_000)
@example("- " * 100_000)
@example("not " * 1_000)
@example("a[" * 1_000)
@example("1 if a else " * 1_000)
@example("9" * 100_000)
@example("1." + "9" * 100_000)
@example("((((a or b) and c) == d) + e)" * 40)
def test_no_text_does_harm(text: str) -> None:
    fault = fault_of(text)
    assert fault is None or 0 <= fault.start <= fault.end <= len(text)
