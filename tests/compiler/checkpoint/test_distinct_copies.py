"""A checkpoint that is checked for some copies says what it would for all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from compiler.checkpoint import check_checkpoint
from compiler.checkpoint.distinct_copies import distinct_copies
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.ir.tensors import count_tensors, every_number, own_tensors
from compiler.ir.typed import TypedGraph
from compiler.pipeline import Request, compile_to
from tests.hostile import HEAD

LAYERS = """layers:
  a: {op: Pair, repeat: 4}
  b: {op: linear, out_features: 8, repeat: 12}
  c: {op: linear, out_features: 8, repeat: {count: 3, share: true}}
blocks:
  Pair:
    inputs: {x: "float[B, D]"}
    layers:
      one: {op: linear, out_features: D, repeat: 2}
      two: layer_norm
checkpoint:
  tensors:
"""
RULES = {
    "names": ['"{*rest}": x.{*rest}'],
    "numbers": ['"a.{i}.one.{j}.{leaf}": "x.{i - 1}.{2 * j + 1}.{leaf}"'],
    "one copy": ["b.3.weight: y", "b.3.bias: z", "b.4.bias: {from: y, reshape: [3]}"],
    "no copy": ["b.12.weight: y", "b.03.weight: y"],
    "wrong everywhere": ['"b.{i}.weight": {from: y, reshape: [3, 3]}'],
    "wrong later": ['"b.{i}.weight": {from: y, chunk: [i, 7]}'],
    "by digits": ['"b.1{i}.weight": {from: y, reshape: [3]}'],
    "division": ['"b.{i}.weight": "x.{12 // (i - 9)}"'],
    "choice": ['"b.{i}.weight": "{i if i < 9 else nothing}"'],
    "text in a sum": ['"a.{i}.{*rest}": "{rest + 1}"'],
    "for nothing": ["d.weight: y", '"b.{i}.weights": y', "a.4.two.weight: y"],
    "every part": ['"{a}.{b}.{c}": "{a}.{b}.{c}"', '"{a}.{*b}": "{b}"'],
}


def typed(rules: list[str], folder: Path) -> TypedGraph:
    spec = folder / "net.yaml"
    text = "".join(f"    {rule}\n" for rule in rules)
    spec.write_text(f"{HEAD}{LAYERS}{text}", encoding="utf-8")
    graph = compile_to(TypedGraph, Request(spec))
    assert not graph.failed
    return graph


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> Callable[[TypedGraph], object]:
    def check(graph: TypedGraph) -> tuple[Diagnostic, ...]:
        with monkeypatch.context() as patch:
            patch.setattr(
                check_checkpoint, "distinct_copies", lambda rules: every_number
            )
            return check_checkpoint.check_checkpoint(graph)

    return check


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_some_copies_tell_what_all_do(
    rules: list[str], tmp_path: Path, whole: Callable[[TypedGraph], object]
) -> None:
    graph = typed(rules, tmp_path)
    assert check_checkpoint.check_checkpoint(graph) == whole(graph)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("names", [0]),
        ("numbers", [0]),
        ("one copy", [0, 3, 4]),
        ("no copy", [0, 3]),
        ("wrong later", range(12)),
        ("by digits", range(12)),
        ("division", range(12)),
        ("choice", range(12)),
        ("text in a sum", [0]),
        ("for nothing", [0, 4]),
    ],
)
def test_copies_that_are_looked_at(
    name: str, numbers: list[int], tmp_path: Path
) -> None:
    checkpoint = typed(RULES[name], tmp_path).graph.spec.checkpoint
    assert checkpoint is not None
    assert list(distinct_copies(checkpoint.rules())(0, 12)) == list(numbers)


def test_tensors_are_counted_as_they_are_listed(tmp_path: Path) -> None:
    (network,) = typed(RULES["names"], tmp_path).networks.values()
    assert count_tensors(network) == len(list(own_tensors(network))) == 50
