"""What several copies need of sizes and numbers is demanded of the constructor, and their classes are told apart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from compiler import compile_spec
from compiler.diagnostics.diagnostic import SpecError
from runtime.load import load_program

X = "inputs: {x: 'float[B, width]'}\n"

REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "copies of a group that give what they do not take": (
        (
            f"params: {{width: 4, widths: [4]}}\n{X}"
            "layers: {g: {repeat: 2, layers: {p: {op: linear, out_features: 'widths[-1]'}}}}"
        ),
        {"widths": (6,)},
        "widths[-1] and 4 must be equal",
    ),
    "copies whose outputs do not stack": (
        (
            f"params: {{width: 4, first: 4, later: 4, n: 3}}\n{X}"
            "layers:\n  b: {op: Part, size: first if i == 0 else later, repeat: {count: n, stack: {all: x}}}\n"
            "  m: {op: mean, dim: 0, in: b.all}\n"
            "blocks: {Part: {params: {size: int}, inputs: {x: 'float[B, D]'}, "
            "layers: {a: {op: linear, out_features: size}}, outputs: {x: a}}}"
        ),
        {"n": 2, "first": 6},
        "first",
    ),
    "a size by formula that is added to another": (
        (
            f"params: {{width: 4, hidden: 2}}\n{X}"
            "layers: {p: {op: linear, out_features: 'max(hidden, 4)'}, q: {op: add, in: [p, x]}}"
        ),
        {"hidden": 5},
        "must be equal",
    ),
    "a copy that is collected and not there": (
        (
            f"params: {{width: 4, n: 3}}\n{X}"
            "layers:\n  c: {op: linear, out_features: 5, repeat: {count: n, collect: taps, at: [0, 2]}}\n"
            "  s: {op: add, in: c.taps}"
        ),
        {"n": 2},
        "n must be at least 3",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, tmp_path: Path) -> None:
    text, values, message = REFUSED[case]
    file = _written(text, tmp_path)
    with pytest.raises(SpecError):
        compile_spec(file, settings=values)
    network = load_program(compile_spec(file))[""]
    with pytest.raises(ValueError, match=re.escape(message)):
        network(**values)


def test_one_copy_alone_may_change_the_type(tmp_path: Path) -> None:
    text = (
        f"params: {{width: 4, n: 1, hidden: 6}}\n{X}"
        "layers: {g: {repeat: n, layers: {p: {op: linear, out_features: hidden}}}}"
    )
    network = load_program(compile_spec(_written(text, tmp_path)))[""]
    assert network(hidden=9)(torch.zeros(2, 4)).shape == (2, 9)


TOLD_BY_NUMBER = """\
inputs: {x: "float[B, 4]", extra: "float[B, 4]?"}
layers:
  copies: {op: Narrow, repeat: 2}
  gated: {op: linear, out_features: 2, in: extra, when: given(extra), else: copies}
blocks:
  Narrow:
    inputs: {x: "float[..., D]"}
    layers:
      act: {choose: [{when: D != 2, layers: [tanh, {op: linear, out_features: 3}]}, {op: linear, out_features: 5}]}
      end: {op: linear, out_features: 2}
"""


def test_copies_are_told_apart_by_number_with_and_without_an_input(
    tmp_path: Path,
) -> None:
    network = load_program(compile_spec(_written(TOLD_BY_NUMBER, tmp_path)))[""]()
    names = network.state_dict().keys()
    assert {"copies.0.act.1.weight", "copies.1.act.weight"} <= names
    assert network(torch.zeros(3, 4), torch.ones(3, 4)).shape == (3, 2)


COUNTED_IN_A_GROUP = """\
params: {width: 6, widths: [4, 4]}
inputs: {x: "float[B, T, width]"}
layers:
  copies:
    repeat: 2
    layers:
      wide: {op: linear, out_features: "max(widths[i], widths[-1])"}
      end: {op: Wider, by: 2}
blocks: {Wider: {params: {by: int}, inputs: {x: "float[..., D]"}, layers: {a: {op: linear, out_features: D + by}}}}
"""


def test_a_formula_of_the_copies_of_a_group_goes_up_to_the_constructor(
    tmp_path: Path,
) -> None:
    network = load_program(compile_spec(_written(COUNTED_IN_A_GROUP, tmp_path)))[""]()
    assert network(torch.zeros(1, 2, 6)).shape == (1, 2, 6)


FIXED_LIST = """\
params: {width: 8, widths: [10, 20, 5], flag: true}
inputs: {x: "float[B, width]"}
layers:
  same: {op: linear, out_features: 8 if i == 0 else 8, repeat: 3}
  copies: {repeat: 3, layers: {a: {op: linear, out_features: "widths[i]"}, b: {op: linear, out_features: 8}}}
  row: {op: linear, out_features: "widths[i]", repeat: 3}
  act: {choose: [{when: "widths[2] == 5", layers: [tanh]}, {op: linear, out_features: 5}]}
"""


def test_a_list_that_is_no_argument_has_a_name_where_its_items_are_counted(
    tmp_path: Path,
) -> None:
    code = compile_spec(_written(FIXED_LIST, tmp_path)).python
    assert "for widths = (10, 20, 5)" in code
    assert code.count("        widths = (10, 20, 5)\n") == 1
    assert "nn.Linear(8 if i == 0 else widths[i - 1], widths[i])" in code
    assert "nn.Linear(width if i == 0 else 8, 8) for i in range(3)" in code


def _written(text: str, folder: Path) -> Path:
    file = folder / "net.yaml"
    file.write_text(f"name: Net\n{text}")
    return file


SOME_WITHOUT_COPIES = """\
inputs: {x: "float[B, 6]"}
layers: {p: {op: Level, level: 2}, q: {op: Level, level: 0}}
blocks:
  Level:
    params: {level: int}
    inputs: {x: "float[B, D]"}
    layers:
      again: {op: linear, out_features: D, repeat: {count: level, share: true}}
      below: {when: level > 0, layers: {deeper: {op: Level, level: level - 1}}}
"""


def test_a_use_without_copies_has_none_of_their_weights(tmp_path: Path) -> None:
    network = load_program(compile_spec(_written(SOME_WITHOUT_COPIES, tmp_path)))[""]()
    names = {name for name, _ in network.named_parameters() if name.endswith("weight")}
    assert names == {"p.again.weight", "p.below.deeper.again.weight"}
    assert network(torch.zeros(1, 6)).shape == (1, 6)
