"""A block in which nothing runs is a plain box, in every format and however much is opened."""

from pathlib import Path

import pytest

from compiler import compile_spec
from compiler.diagram.options import DiagramOptions
from tests.compiler.diagram.specs import box, drawing, edges

OFF = """
name: Net
inputs: {x: "float[B, 8]"}
layers:
  a: {op: A, on: false}
  b: {op: linear, out_features: 8}
blocks:
  A:
    params: {on: bool}
    inputs: {x: "float[B, D]"}
    layers:
      l: {op: linear, out_features: D, when: on}
"""
NOT_GIVEN = """
name: Net
inputs: {x: "float[B, 8]"}
layers:
  a: {op: A, repeat: 2}
  b: {op: linear, out_features: 8}
blocks:
  A:
    inputs: {x: "float[B, D]", c: "float[B, D]?"}
    layers:
      l: {op: linear, out_features: D, when: given(c)}
"""
OPENED = (
    DiagramOptions(),
    DiagramOptions(depth=3, direction="LR"),
    DiagramOptions(expand=frozenset({"a"})),
)


@pytest.mark.parametrize("text", [OFF, NOT_GIVEN], ids=["off", "not given"])
@pytest.mark.parametrize("options", OPENED, ids=["fitting", "deep", "named"])
def test_it_is_a_box_that_its_value_passes_through(
    tmp_path: Path, text: str, options: DiagramOptions
) -> None:
    drawn = drawing(tmp_path, text, options)
    assert drawn.clusters == ()
    assert box(drawn, "a").kind == "block"
    assert edges(drawn) == {("x", "a"), ("a", "b"), ("b", "output")}


@pytest.mark.parametrize("text", [OFF, NOT_GIVEN], ids=["off", "not given"])
@pytest.mark.parametrize(
    "suffix", ["svg", "pdf", "png", "dot", "mmd", "tex", "tikz", "html"]
)
def test_every_format_draws_it(tmp_path: Path, text: str, suffix: str) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(text, encoding="utf-8")
    program = compile_spec(spec)
    picture = tmp_path / f"net.{suffix}"
    for diagram in (
        program.diagram(),
        program.diagram(depth=3),
        program.diagram(expand=["a"]),
        program.diagram(block="A"),
    ):
        diagram.save(picture)
        assert picture.stat().st_size > 0


def test_a_page_does_not_open_it(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(OFF, encoding="utf-8")
    assert '"opens"' not in compile_spec(spec).diagram().html
    spec.write_text(OFF.replace("on: false", "on: true"), encoding="utf-8")
    assert '"opens"' in compile_spec(spec).diagram().html
