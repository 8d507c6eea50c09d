"""The passes follow one another, and each stage can be asked for."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from compiler.diagnostics.source import Source
from compiler.ir.graph import Graph, Unit
from compiler.ir.typed import TypedGraph
from compiler.parse.document import Document
from compiler.pipeline import PASSES, Pass, Request, check_spec, compile_to

SPEC = Path("specs/cnn.yaml")


def test_each_pass_takes_what_the_one_before_it_gives() -> None:
    assert PASSES[0].takes is Path
    assert [one.gives for one, _ in pairwise(PASSES)] == [
        one.takes for _, one in pairwise(PASSES)
    ]
    assert PASSES[-1].gives is TypedGraph


@pytest.mark.parametrize("one", PASSES, ids=lambda one: one.name)
def test_pass_has_the_types_that_it_names(one: Pass[Any, Any]) -> None:
    hints = get_type_hints(one.run)
    assert hints.pop("return") is one.gives
    assert list(hints.values()) == [one.takes, Request]


@pytest.mark.parametrize("stage", [Source, Document, Unit, Graph, TypedGraph])
def test_value_of_a_stage(stage: type) -> None:
    assert type(compile_to(stage, Request(SPEC))) is stage


def test_unit_is_linked() -> None:
    request = Request(Path("specs/gpt2.yaml"))
    assert compile_to(Unit, request).spec.name == "GPT2"
    assert list(request.sources) == ["specs/gpt2.yaml"]


_WIDE = "name: Net\nparams: {{count: 1}}\nvariants:\n{}inputs: {{x: 'float[B, 8]'}}\nlayers:\n{}outputs: {{y: a0}}\n"


def test_many_large_variants_are_not_all_checked(tmp_path: Path) -> None:
    """So that the time of `check` is bounded."""
    layers = "".join(
        f"  a{i}: {{op: linear, out_features: 8, in: x}}\n" for i in range(500)
    )
    variants = "".join(f"  v{i}: {{count: {i}}}\n" for i in range(60))
    spec = tmp_path / "net.yaml"
    spec.write_text(_WIDE.format(variants, layers), encoding="utf-8")
    (found,) = [one for one in check_spec(spec) if one.code == "unchecked"]
    assert "variants from v39 on" in found.message


def test_all_variants_of_a_right_spec_are_right() -> None:
    assert check_spec(Path("specs/gpt2.yaml")) == ()
