"""The expression language: what it means, how it prints, how it refuses."""

import re

import pytest

from compiler.expr.syntax import BinaryOperation, names_in, unparse
from compiler.symbolic.evaluate import (
    ExpressionError,
    NotConstant,
    Value,
    parse_expression,
)
from tests.compiler.symbolic.values import WIDTHS_2, D, H, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("7 // -2", -4),
        ("-7 % 3", 2),
        ("-2 * 3", -6),
        ("8 - 3 - 2", 3),
        ("width / heads", 64.0),
        ("rate * 2", 1.0),
        ("3e-4", 3e-4),
        (".5", 0.5),
        ("1 < 2 and not 2 < 1", True),
        ("false or true", True),
        ("flag == False", False),
        ("norm == norm", True),
        ("[1, 2] == [1, 2,]", True),
        ("[1, 2] != [1]", True),
        ("width if flag else heads", 768),
        ("1 if heads > 12 else 2 if heads == 12 else 3", 2),
        ("flag or 1 // 0 == 1", True),
        ("min(3, 2, 2.5)", 2),
        ("max([3, 7])", 7),
        ("ceil_div(7, 2)", 4),
        ("len(widths)", 3),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("2 ** -1", 0.5),
        ("H ** 2", H * H),
        ("H ** 0", 1),
        ("sum([2, 3, H])", H + 5),
        ("sum(none)", 0),
        ("prod([2, rate])", 1.0),
        ("sum(widths[:-1])", 192),
        ("widths[1:2]", (128,)),
        ("widths[5:]", ()),
        ("len(widths[:])", 3),
        ("sqrt(16)", 4.0),
        ("round(100 * pi)", 314),
        ("[2 ** i for i in 4]", (1, 2, 4, 8)),
        ("[i + four for i in four][1:]", (5, 6, 7)),
        ("[]", ()),
        ("[1 for i in 0]", ()),
        ("[[i, 1] for i in 2]", ((0, 1), (1, 1))),
        ("round(7 / 2)", 4),
        ("round(log(exp(2)))", 2),
        ("widths[1]", 128),
        ("widths[-3]", 64),
        ("four * 2", 8),
        ("D // D", 1),
        ("H - H", 0),
        ("H < H + 1", True),
        ("H == H", True),
        ("max(H, H + 1) - H", 1),
        ("4 * D // 2", 2 * D),
        ("widths[2] + 1", WIDTHS_2 + 1),
        ("ceil_div(H, 2)", (H + 1) // 2),
        ("H % 2", H % 2),
        ("[H, 1]", (H, 1)),
        (" 1\n+ 1\t", 2),
    ],
)
def test_values(text: str, expected: Value) -> None:
    result = value(text)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("text", "message", "part"),
    [
        ("", "expected an operand, found the end", ""),
        ("1 +", "expected an operand, found the end", ""),
        ("1 2", "expected an operator, found `2`", "2"),
        ("(1", "expected `)`, found the end", ""),
        ("1 if true", "expected `else`, found the end", ""),
        ("2 ** 64", "beyond 64 bits", "2 ** 64"),
        ("10 ** 10 ** 10", "beyond 64 bits", "10 ** 10 ** 10"),
        ("0 ** -1", "division by zero", "0 ** -1"),
        ("(-8) ** 0.5", "needs an integer as exponent", "(-8) ** 0.5"),
        ("sum(3)", "expected a list, found a number", "3"),
        ("sum(long)", "the list has more than 256 items", "long"),
        ("max(long)", "the list has more than 256 items", "long"),
        ("sqrt(-1)", "`sqrt` of -1 is not a number", "sqrt(-1)"),
        ("log(0)", "`log` of 0 is not a number", "log(0)"),
        ("exp(1000)", "the result is too large", "exp(1000)"),
        ("widths[::2]", "slices have no step", ":"),
        ("widths[0.5:]", "expected an integer, found a float", "0.5"),
        ("x.shape", "expressions have no attributes", "."),
        ("x[]", "expected an operand, found `]`", "]"),
        ("width[1:2]", "expected a list, found a number", "width"),
        ("'a'", "expressions cannot contain text", "'"),
        ("x = 1", "equality is written `==`", "="),
        ("a && b", "conjunction is written `and`", "&&"),
        ("!a", "negation is written `not`", "!"),
        ("$width", "`$` is for text", "$"),
        ("lambda: 1", "expressions have no `lambda`", "lambda"),
        ("None", "specs have no `None`", "None"),
        (
            "open(1)",
            "only min, max, sum, prod, ceil_div, len, round, sqrt, log, exp can be called",
            "(",
        ),
        (
            "(min)(1)",
            "only min, max, sum, prod, ceil_div, len, round, sqrt, log, exp can be called",
            "(",
        ),
        ("1 < 2 < 3", "comparisons cannot be chained", "<"),
        ("1 + not flag", "`not` needs parentheses here", "not"),
        ("len()", "`len` takes 1 arguments, not 0", "len()"),
        ("ceil_div(1)", "`ceil_div` takes 2 arguments, not 1", "ceil_div(1)"),
        ("9223372036854775808", "the integer exceeds 63 bits", "9223372036854775808"),
        ("1" * 5000, "the integer exceeds 63 bits", "1" * 5000),
        ("1e999", "the number is too large for a float", "1e999"),
        ("é", "expressions cannot contain `é`", "é"),
        ("1 \x1b", "expressions cannot contain U+001B", "\x1b"),
        ("2 * wdth", "unknown name `wdth`", "wdth"),
        ("1 + 2 // 0", "division by zero", "2 // 0"),
        ("1.5 % 0", "division by zero", "1.5 % 0"),
        ("H // (H - H)", "division by zero", "H // (H - H)"),
        ("1 + widths[3]", "index 3 is out of range for 3 items", "3"),
        ("widths[0.5]", "expected an integer, found a float", "0.5"),
        ("9223372036854775807 + 1", "beyond 64 bits", "9223372036854775807 + 1"),
        ("1e300 * 1e300", "the result is too large", "1e300 * 1e300"),
        ("flag + 1", "expected a number, found a bool", "flag"),
        ("1 + norm", "expected a number, found text", "norm"),
        ("-widths", "expected a number, found a list", "widths"),
        ("not heads", "expected a bool, found a number", "heads"),
        ("1 if width else 2", "expected a bool, found a number", "width"),
        ("norm == 1", "cannot compare text with a number", "norm == 1"),
        ("widths < none", "expected a number, found a list", "widths"),
        ("width[0]", "expected a list, found a number", "width"),
        ("max(none)", "`max` of an empty list", "max(none)"),
        ("ceil_div(1.5, 2)", "expected an integer, found a float", "1.5"),
    ],
)
def test_faults_name_their_place(text: str, message: str, part: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(message)) as caught:
        value(text)
    assert text[caught.value.start : caught.value.end] == part
    assert not isinstance(caught.value, NotConstant)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("H / 2", "H"),
        ("rate * H", "H"),
        ("H < 3", "H < 3"),
        ("1 + (H == D)", "H == D"),
        ("H < 0.5", "H < 0.5"),
        ("1 if H else 2", "H"),
        ("min(H, 3)", "min(H, 3)"),
        ("widths[H]", "H"),
        ("widths[H:]", "H"),
        ("sqrt(H)", "H"),
        ("2 ** H", "H"),
        ("H ** 0.5", "H"),
        ("[H] == [3]", "[H] == [3]"),
    ],
)
def test_symbolic_sizes_are_not_numbers(text: str, part: str) -> None:
    with pytest.raises(NotConstant, match="depends on the sizes") as caught:
        value(text)
    assert text[caught.value.start : caught.value.end] == part


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("3*D", "3 * D"),
        ("((H + 1)) // 2", "(H + 1) // 2"),
        ("(2) if (i == 0) else (1)", "2 if i == 0 else 1"),
        ("(a or b) and c", "(a or b) and c"),
        ("a or (b and c)", "a or b and c"),
        ("a - (b - c)", "a - (b - c)"),
        ("H // 2 * W", "(H // 2) * W"),
        ("2 * (H // 2)", "2 * (H // 2)"),
        ("a // b // c", "a // b // c"),
        ("not (a == b)", "not a == b"),
        ("(not a) == b", "(not a) == b"),
        ("-(a + b)", "-(a + b)"),
        ("(-a)[0]", "(-a)[0]"),
        ("(1 if a else 2) if b else 3", "(1 if a else 2) if b else 3"),
        ("min( a,b )[0]", "min(a, b)[0]"),
        ("[a,true]", "[a, True]"),
        ("(2**a)**b", "(2 ** a) ** b"),
        ("2**(a**b)", "2 ** a ** b"),
        ("(-a)**-b", "(-a) ** -b"),
        ("-(a**b)", "-a ** b"),
        ("2*a**b*3", "2 * a ** b * 3"),
        ("a[:i]+b[i+1:]", "a[:i] + b[i + 1:]"),
    ],
)
def test_printing(text: str, shown: str) -> None:
    assert unparse(parse_expression(text)) == shown


def test_parts_know_their_place() -> None:
    text = "1 + (widths[0] * 2)"
    expr = parse_expression(text)
    assert isinstance(expr, BinaryOperation)
    assert text[expr.start : expr.end] == text
    assert text[expr.right.start : expr.right.end] == "widths[0] * 2"


def test_names_are_found_everywhere() -> None:
    text = "min(a[b], [c])[-d] if e == f and not g else h"
    assert names_in(parse_expression(text)) == set("abcdefgh")


def test_size_and_depth_are_bounded() -> None:
    assert value("+".join("1" * 128)) == 128
    for text in ("+".join("1" * 200), "(" * 40 + "1" + ")" * 40, "-" * 40 + "1"):
        with pytest.raises(ExpressionError, match=r"too long|too deeply"):
            parse_expression(text, max_nodes=10**9, max_depth=10**9)
    with pytest.raises(ExpressionError, match="too long"):
        parse_expression("1 + 2 + 3", max_nodes=4)
    with pytest.raises(ExpressionError, match="too deeply"):
        parse_expression("((1))", max_depth=2)


def test_a_part_is_evaluated_once() -> None:
    text = "flag"
    for _ in range(30):
        text = f"({text}) == flag"
    assert value(text) is True
