"""A class that does something else in a use is refused, each time it is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compiler import compile_spec
from compiler.lower.lower import _Merger
from compiler.lower.validate import Invalid


def test_an_invalid_use_is_invalid_again(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    layers = "layers: {a: {op: linear, out_features: 8}}"
    path.write_text(
        f"name: Net\ninputs: {{x: 'float[B, 8]'}}\n{layers}\n", encoding="utf-8"
    )
    typed = compile_spec(path).typed
    (net,), _, validator = _Merger(typed).merged()
    validator.check(net, typed.networks[""])
    other, _, validator = _Merger(typed).merged()
    without = replace(other[0], held=())
    validator = type(validator)({id(without.plan): without}, validator.constructors)
    for _ in range(2):
        with pytest.raises(Invalid):
            validator.check(without, typed.networks[""])
