"""Python as data: what the constructors make, and what the nodes refuse."""

from __future__ import annotations

import math

import pytest

from compiler.codegen.expression_layout import flat
from compiler.codegen.python import (
    Attribute,
    Binary,
    Call,
    Compare,
    Lambda,
    Literal,
    Logic,
    Name,
    Subscript,
    TupleExpr,
    Unary,
    attr,
    call,
    lit,
    method,
    subscript,
)
from compiler.codegen.statements import (
    Assign,
    AugAssign,
    Class,
    ExprStatement,
    Function,
    FunctionParameter,
    Import,
)


def test_constructors_take_plain_values_as_they_are() -> None:
    module = call("nn.Conv2d", Name("c"), 64, kernel_size=(3, 3), bias=False)
    assert flat(module) == "nn.Conv2d(c, 64, kernel_size=(3, 3), bias=False)"
    assert flat(call("F.pad", Name("x"), [1, 2], mode="reflect")) == (
        'F.pad(x, [1, 2], mode="reflect")'
    )
    assert flat(method("x", "transpose", 1, -2)) == "x.transpose(1, -2)"
    assert flat(subscript(attr("x", "shape"), 0)) == "x.shape[0]"
    assert flat(lit(None)) == "None"
    assert flat(lit((1,))) == "(1,)"
    assert flat(subscript("x", ..., 0)) == "x[..., 0]"


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_floats_without_a_literal_are_calls(value: float) -> None:
    assert flat(lit(value)) == f'float("{value}")'
    with pytest.raises(ValueError, match="has no literal"):
        Literal(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-5, "1e-5"), (1e16, "1e16"), (0.1, "0.1"), (-0.0, "-0.0"), (True, "True")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert flat(lit(value)) == text


BAD_NAMES = ["", "x y", "1x", "class", "None", "x;y", "x\n", "é", "x.", ".x", "a..b"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_what_is_no_name_is_refused_wherever_a_name_stands(name: str) -> None:
    makers = (
        lambda: Name(name),
        lambda: Attribute(Name("x"), name),
        lambda: Call(Name("f"), (), ((name, Name("x")),)),
        lambda: Lambda((name,), Name("x")),
        lambda: FunctionParameter(name),
        lambda: Function(name),
        lambda: Class(name),
        lambda: Import(name),
        lambda: Import("torch", (name,)),
        lambda: Import("torch", (f"nn as {name}",)),
    )
    for maker in makers:
        with pytest.raises(ValueError, match="is not a name"):
            maker()


def test_operators_are_python_s() -> None:
    x = Name("x")
    for maker in (
        lambda: Binary("and", x, x),
        lambda: Compare("=", x, x),
        lambda: Unary("!", x),
        lambda: Logic("xor", (x, x)),
        lambda: AugAssign(x, "=", x),
    ):
        with pytest.raises(ValueError, match="is not one of the operators"):
            maker()


def test_malformed_nodes_are_refused() -> None:
    x = Name("x")
    for maker, reason in (
        (lambda: Logic("and", (x,)), "needs at least two operands"),
        (lambda: Subscript(x, ()), "needs an index"),
        (lambda: Assign((), x), "needs a target"),
        (lambda: Assign((x,), None), "needs a value or an annotation"),
        (lambda: Assign((x, x), x, annotation=x), "an annotated one exactly one"),
        (lambda: ExprStatement(Literal("docstring")), "has no effect"),
    ):
        with pytest.raises(ValueError, match=reason):
            maker()


def test_nodes_are_values() -> None:
    assert TupleExpr((Name("x"),)) == TupleExpr((Name("x"),))
    assert len({call("f", 1), call("f", 1), call("f", 2)}) == 2
    assert [FunctionParameter(name).name for name in ("*", "*args", "**kwargs")]
