"""A value stands in the line that alone reads it, where no shape is lost and nothing runs in another order."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from compiler import compile_spec
from compiler.codegen.python import Conditional, Name, call, lit, method, subscript
from compiler.lower.tidy import comes_first

HEAD = "name: Net\ninputs: {x: 'float[B, 4]'}\nlayers:\n  "

IN_PLACE = {
    "a chain of one shape": (
        "a: {op: linear, out_features: 8}\n  b: relu\n  c: {op: dropout, p: 0.5}",
        ["c: Tensor = self.c(F.relu(self.a(x), inplace=True))"],
    ),
    "at most two in a line": (
        "a: {op: linear, out_features: 4}\n  b: layer_norm\n  c: layer_norm\n  d: layer_norm",
        ["a = self.a(x)", "d: Tensor = self.d(self.c(self.b(a)))"],
    ),
    "in a sum, last": (
        "a: {op: linear, out_features: 4}\n  b: {op: add, in: [x, a]}",
        ["b: Tensor = x + self.a(x)"],
    ),
    "where the shape changes": (
        "a: {op: linear, out_features: 8}\n  b: {op: linear, out_features: 4}",
        ["a = self.a(x)", "b: Tensor = self.b(a)"],
    ),
    "read twice": (
        "a: {op: linear, out_features: 4}\n  b: {op: mul, in: [a, a]}",
        ["a = self.a(x)", "b: Tensor = a * a"],
    ),
    "an output": (
        "a: {op: linear, out_features: 4}\n  b: layer_norm\noutputs: {first: a, second: b}",
        ["first = self.a(x)", "second = self.b(first)"],
    ),
    "one after the other, not side by side": (
        "a: {op: dropout, p: 0.5}\n  b: {op: dropout, p: 0.5, in: x}\n  c: {op: sub, in: [b, a]}",
        ["a = self.a(x)", "c: Tensor = self.b(x) - a"],
    ),
}


@pytest.mark.parametrize("case", IN_PLACE)
def test_lines(tmp_path: Path, case: str) -> None:
    layers, expected = IN_PLACE[case]
    file = tmp_path / "net.yaml"
    file.write_text(f"{HEAD}{layers}\n", encoding="utf-8")
    *lines, last = _forward(compile_spec(file).python)
    assert [ast.unparse(line) for line in lines] == expected
    assert isinstance(last, ast.Return)


def _forward(text: str) -> list[ast.stmt]:
    return next(
        node.body
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name == "forward"
    )


V, W = Name("v"), Name("w")
PLACES = {
    "an argument": (call("f", W, V), True),
    "before another call": (call("f", V, call("g", W)), True),
    "after another call": (call("f", call("g", W), V), False),
    "after a call in its chain": (method(call("g", W), "add", V), False),
    "of a chain": (method(V, "add", call("g", W)), True),
    "in a subscript": (subscript(V, lit(0)), True),
    "in one branch": (Conditional(W, V, W), False),
    "beside a branch": (call("f", Conditional(W, call("g"), W), V), False),
    "beside a plain branch": (call("f", Conditional(W, W, lit(0)), V), True),
}


@pytest.mark.parametrize("case", PLACES)
def test_a_value_moves_where_no_call_comes_before_it(case: str) -> None:
    value, expected = PLACES[case]
    assert comes_first(value, V) is expected


CONDITIONS = """\
name: Net
inputs: {x: 'float[B, 4]'}
layers:
  same: {op: Cell, width: 4}
  wider: {op: Cell, width: 8}
blocks:
  Cell:
    params: {width: int, on: true}
    inputs: {x: 'float[B, D]'}
    layers:
      a: {op: linear, out_features: width}
      b: {op: add, in: [a, x], when: on and D == width}
      c: {op: tanh, when: on}
      d: {op: relu, when: on and D == width}
"""


def test_a_condition_of_sizes_is_decided_once(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(CONDITIONS, encoding="utf-8")
    text = compile_spec(file).python
    assert text.count("on and d == width") == 1
    assert "self.has_b = on and d == width" in text
    assert text.count(" if self.has_b else ") == 2
    assert " if self.on else " in text
