"""Lists of what copies give: what their code is, and what constructors refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.pipeline import compile_spec
from compiler.program import Program
from runtime.load import build_networks
from runtime.verify import verify

ALIASES = """
  same: {op: identity, repeat: {count: n, collect: unread}}
  linear: {op: linear, out_features: 8}
  other: {op: identity, repeat: {count: n, collect: items}}
  sum: {op: add, in: [other.items, linear]}
  beside: {op: identity, repeat: {count: n, chain: false, collect: all}}
  each: {op: identity, repeat: {count: n, reverse: true, collect: all}, in: beside.all}
  last: {op: concat, dim: 0, in: [each.all, same]}
"""
ITEMS = """
  body: {op: linear, out_features: 8, repeat: {count: n, collect: features}}
  some: {op: linear, out_features: 8, repeat: {count: n, collect: features, at: [0, 2]}}
  sum: {op: add, in: [body.features.1, some.features]}
"""
BOTH = """
  body: {op: linear, out_features: 8, repeat: {count: n, collect: features}}
  each: {op: linear, out_features: 8, repeat: {count: m, collect: outputs}, in: body.features}
  sum: {op: add, in: [each.outputs, body]}
"""
TAPS = """
  body: {op: linear, out_features: 8, repeat: {count: n, collect: features, at: taps}}
  sum: {op: add, in: [body.features, x]}
"""


def compiled(folder: Path, layers: str, params: str = "n: 3") -> Program:
    path = folder / "net.yaml"
    head = f'name: Net\nparams: {{{params}}}\ninputs: {{x: "float[B, 8]"}}\nlayers:'
    path.write_text(head + layers, encoding="utf-8")
    return compile_spec(path)


@pytest.mark.parametrize("layers", [ALIASES, ITEMS], ids=["aliases", "items"])
def test_lists_mean_what_they_say(tmp_path: Path, layers: str) -> None:
    assert verify(compiled(tmp_path, layers)).problems == ()


def test_the_number_of_copies_is_free_where_items_are_there(tmp_path: Path) -> None:
    program = compiled(tmp_path, ITEMS)
    assert "n must be at least 2" in program.python
    assert "n must be at least 3" in program.python
    (network,) = build_networks(program).values()
    kind = type(network)
    assert kind(n=5)
    with pytest.raises(ValueError, match="n must be at least 3"):
        kind(n=2)


def test_a_list_has_an_item_for_each_copy(tmp_path: Path) -> None:
    program = compiled(tmp_path, BOTH, "n: 3, m: 3")
    assert verify(program).problems == ()
    kind = type(next(iter(build_networks(program).values())))
    with pytest.raises((TypeError, ValueError)):
        kind(n=3, m=4)


def test_params_that_say_which_copies_are_fixed(tmp_path: Path) -> None:
    program = compiled(tmp_path, TAPS, "n: 3, taps: [0, 2]")
    assert verify(program).problems == ()
    assert "for n = 3, for taps = (0, 2)" in program.python
