"""`expand`: an equivalent spec in one file."""

import re
from pathlib import Path
from typing import Any

import pytest

from compiler import compile_spec
from compiler.diagnostics.source import Source
from compiler.fmt.expand import expand
from compiler.fmt.format_spec import format_spec
from compiler.fmt.write_spec import write_spec
from compiler.ir.print_typed import print_typed
from compiler.program import Program
from tests.programs import CHOSEN, chosen, compiled

WRITTEN = CHOSEN[::3]
"""Those whose modules are compared, too; the typed graphs, which modules are made of, are compared of all."""


def again(program: Program, folder: Path, name: str) -> tuple[Program, str]:
    text = write_spec(expand(program.typed, program.task_node))
    (folder / "out").mkdir()
    file = folder / "out" / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return compile_spec(file), text


@pytest.mark.parametrize("spec", chosen())
def test_the_network_is_the_same(spec: str, tmp_path: Path) -> None:
    """As it is, and as its last variant: variants only have other values of params."""
    variants = list(compiled(spec).typed.graph.spec.variants)
    for variant in ("", *variants[-1:]):
        program = compiled(spec, variant)
        folder = tmp_path / f"of_{variant}"
        folder.mkdir()
        expanded, text = again(program, folder, spec)
        assert str(expanded.summary) == str(program.summary), variant
        assert _without_places(expanded) == _without_places(program), variant
        if not variant and spec in WRITTEN:
            assert expanded.python == _without_bases(program)
        assert "extends:" not in text, variant
        assert "variants:" not in text
        assert format_spec(Source("a.yaml", text)) == text, variant


def _without_bases(program: Program) -> str:
    """The module of a spec that is written whole."""
    return re.sub(r",\s+which extends (?=\S+\.yaml\.\n)\S+(?=\.)", "", program.python)


def _without_places(program: Program) -> str:
    return re.sub(r" at \S+:\d+:\d+", "", print_typed(program.typed))


MAIN = """
name: Main
params: {width: 8, hidden: 2 * width, act: {type: op, default: relu}, rate: float}
import: {Mix: parts/mix.yaml}
inputs: {x: "float[B, width]"}
layers:
  a: {op: Mix, act: $act}
  b: {op: Inner, hidden: hidden}
  c: {op: dropout, p: rate}
blocks:
  Inner:
    params: {hidden: int}
    inputs: {x: "float[B, D]"}
    layers: [{op: linear, out_features: hidden}, relu]
"""
MIX = """
name: Mixes
blocks:
  Mix:
    params: {act: op}
    inputs: {x: "float[B, D]"}
    layers:
      one: Inner
      two: {layers: [Inner, $act]}
      three: {op: Outer, inner: tanh}
  Outer:
    params: {inner: op}
    inputs: {x: "float[B, D]"}
    layers: [{op: $inner}]
  Inner:
    inputs: {x: "float[B, D]"}
    layers: [{op: linear, out_features: D}, tanh]
"""


def imported(folder: Path, **settings: Any) -> Program:
    (folder / "parts").mkdir()
    (folder / "parts/mix.yaml").write_text(MIX, encoding="utf-8")
    (folder / "main.yaml").write_text(MAIN, encoding="utf-8")
    return compile_spec(folder / "main.yaml", settings=settings)


def test_imported_blocks_have_unique_names(tmp_path: Path) -> None:
    program = imported(tmp_path, rate=0.5)
    expanded, text = again(program, tmp_path, "main")
    assert expanded.python == program.python
    assert "import" not in text
    assert sorted(expanded.typed.graph.blocks) == ["Inner", "Inner2", "Mix", "Outer"]


def test_defaults_are_the_chosen_values(tmp_path: Path) -> None:
    program = imported(tmp_path, rate=0.5, width=4, act="gelu")
    expanded, text = again(program, tmp_path, "main")
    line = next(line for line in text.splitlines() if line.startswith("params:"))
    assert line == (
        "params: {width: 4, hidden: 2 * width, act: {type: op, default: gelu}, "
        "rate: {type: float, default: 0.5}}"
    )
    assert expanded.typed.params == program.typed.params


def test_a_param_loses_its_formula_if_its_value_differs(tmp_path: Path) -> None:
    expanded, text = again(imported(tmp_path, rate=0.5, hidden=3), tmp_path, "main")
    assert "hidden: 3" in text
    assert expanded.typed.params["hidden"] == 3
