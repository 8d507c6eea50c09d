"""Printing takes time in proportion to what is printed, however it is nested."""

from __future__ import annotations

import time

import pytest

from compiler.codegen.printer import print_module
from compiler.codegen.python import Binary, Call, Expr, Name, call, lit, method
from compiler.codegen.statements import (
    Class,
    Function,
    FunctionParameter,
    Module,
    assign,
)


def deep_sum(depth: int) -> Expr:
    total: Expr = Name("a")
    for i in range(depth):
        total = Binary("+", total, Name(f"x{i}"))
    return total


def deep_chain(depth: int) -> Expr:
    chain: Expr = Name("a")
    for i in range(depth):
        chain = method(chain, "f", Name(f"x{i}"))
    return chain


def deep_calls(depth: int) -> Expr:
    function: Expr = Name("f")
    for i in range(depth):
        function = Call(function, (Name(f"x{i}"),))
    return function


def wide_call(width: int) -> Expr:
    return call("f", *[call("g", Name(f"x{i}"), Name("y" * 70)) for i in range(width)])


@pytest.mark.parametrize("grow", [deep_sum, deep_chain, deep_calls, wide_call])
def test_time_is_linear_in_the_size_of_an_expression(grow: object) -> None:
    assert callable(grow)
    times = []
    for size in (500, 4000):
        module = Module(body=(assign("x", grow(size)),))
        times.append(_seconds(module))
    assert times[1] < 40 * times[0] + 0.5  # 8 where linear, 64 where quadratic


def test_a_class_of_many_lines_prints_fast() -> None:
    line = assign(
        "self.layer", call("nn.Linear", Name("d"), lit(4), bias=False), comment="[D]"
    )
    init = Function(
        "__init__", (FunctionParameter("self"),), lit(None), (line,) * 20_000
    )
    start = time.process_time()
    text = print_module(Module(body=(Class("Net", body=(init,)),)))
    assert text.count("\n") == 20_002
    assert time.process_time() - start < 10


def _seconds(module: Module) -> float:
    """Of processor time: the clock also measures what else the machine does."""
    start = time.process_time()
    print_module(module)
    return time.process_time() - start
