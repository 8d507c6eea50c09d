"""A class that does something else in a use is refused, each time it is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compiler import compile_spec
from compiler.codegen.python import Expr
from compiler.lower import values_of_use
from compiler.lower.compare_code import Invalid
from compiler.lower.evaluate_code import number_code
from compiler.lower.merge_classes import Merger


def test_an_invalid_use_is_invalid_again(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    layers = "layers: {a: {op: linear, out_features: 8}}"
    path.write_text(
        f"name: Net\ninputs: {{x: 'float[B, 8]'}}\n{layers}\n", encoding="utf-8"
    )
    typed = compile_spec(path).typed
    (net,), _, validator = Merger(typed).merged()
    validator.check(net, typed.networks[""])
    other, _, validator = Merger(typed).merged()
    without = replace(other[0], held=())
    validator = type(validator)({id(without.plan): without}, validator.constructors)
    for _ in range(2):
        with pytest.raises(Invalid):
            validator.check(without, typed.networks[""])


def test_a_list_that_copies_take_items_of_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = []

    def counted(value: object) -> Expr:
        if isinstance(value, tuple):
            lists.append(value)
        return number_code(value)

    monkeypatch.setattr(values_of_use, "number_code", counted)
    path = tmp_path / "net.yaml"
    path.write_text(
        f"name: Net\nparams: {{widths: {list(range(1, 51))}}}\ninputs: {{x: 'float[B, 8]'}}\n"
        "layers: {h: {op: linear, out_features: 'widths[i]', repeat: len(widths)}}\n",
        encoding="utf-8",
    )
    assert not compile_spec(path).check()
    assert len(lists) == 1
