"""A constructor refuses, with a message in the names of the spec, numbers for which its layers cannot be built."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from compiler import compile_spec
from runtime.load import load_program

X = "inputs: {x: 'float[B, width]'}\n"
HEADS = (
    "blocks: {Heads: {params: {heads: int}, inputs: {x: 'float[B, T, D]'}, "
    "layers: {q: {op: linear, out_features: D}, "
    "a: {op: attention, num_heads: heads, in: {query: q, key: q, value: q}}}}}"
)

REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a number of copies below 0": (
        f"params: {{width: 4, n: 2}}\n{X}layers: {{a: {{op: linear, out_features: width, repeat: n}}}}",
        {"n": -1},
        "n must be at least",
    ),
    "a quotient that comes to 0": (
        f"params: {{width: 4, k: 2}}\n{X}layers: {{a: {{op: linear, out_features: 4 // k}}}}",
        {"k": 8},
        "4 // k must be at least 1",
    ),
    "a difference that comes to 0, in a block": (
        (
            f"params: {{width: 4, k: 2}}\n{X}layers: {{a: {{op: Part, size: width - k}}}}\nblocks: {{Part: "
            "{params: {size: int}, inputs: {x: 'float[B, D]'}, layers: {a: {op: linear, out_features: size}}}}"
        ),
        {"k": 4},
        "width - k must be at least 1",
    ),
    "the last of copies that shrink": (
        f"params: {{width: 8, n: 3}}\n{X}layers: {{a: {{op: linear, out_features: width - i, repeat: n}}}}",
        {"n": 9},
        "must be at least 1",
    ),
    "a list that is too short": (
        (
            f"params: {{width: 4, stem: [4, 8, 2]}}\n{X}"
            "layers: {a: {op: linear, out_features: 'stem[0]'}, b: {op: linear, out_features: 'stem[2]'}}"
        ),
        {"stem": (4, 8)},
        "len(stem) must be at least 3",
    ),
    "a list that is shorter than the copies": (
        (
            f"params: {{width: 4, n: 2, widths: [4, 8]}}\n{X}"
            "layers: {a: {op: linear, out_features: 'widths[i]', repeat: n}}"
        ),
        {"n": 3},
        "len(widths) must be at least n",
    ),
    "an item of a list": (
        (
            f"params: {{width: 4, widths: [4, 8]}}\n{X}"
            "layers: {a: {op: linear, out_features: 'widths[i]', repeat: len(widths)}}"
        ),
        {"widths": (4, 0)},
        "widths must be at least 1",
    ),
    "an item of a list that a layer in a list takes": (
        (
            f"params: {{width: 4, widths: [4, 8]}}\n{X}"
            "layers: {a: {layers: [{op: linear, out_features: 'widths[0]'}, tanh, "
            "{op: linear, out_features: 'widths[1]'}]}}"
        ),
        {"widths": (4,)},
        "len(widths) must be at least 2",
    ),
    "heads that do not divide": (
        (
            "params: {width: 8, heads: 2}\ninputs: {x: 'float[B, T, width]'}\n"
            f"layers: {{a: {{op: Heads, heads: heads, repeat: 2}}}}\n{HEADS}"
        ),
        {"heads": 3},
        "width must be a multiple of heads",
    ),
    "a size under a condition that holds": (
        (
            f"params: {{width: 4, k: 2, on: true}}\n{X}"
            "layers: {a: {op: linear, out_features: width - k, when: on}, b: {op: mean, dim: -1}}"
        ),
        {"k": 4},
        "width - k must be at least 1",
    ),
}
TAKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "a number that copies have up to a condition": (
        (
            f"params: {{width: 4, n: 2}}\n{X}layers: {{g: {{repeat: n, layers: {{a: {{op: linear, "
            "out_features: width, repeat: '2 - i if i < 2 else 1'}}}}"
        ),
        {"n": 6},
    ),
    "an item that is read under a condition": (
        (
            f"params: {{width: 4, n: 2, widths: [4, 8]}}\n{X}layers: {{a: {{op: linear, "
            "out_features: 'widths[i] if i < len(widths) else 3', repeat: n}}"
        ),
        {"n": 4},
    ),
    "a size that no copy has": (
        (
            f"params: {{width: 4, n: 2, k: 2}}\n{X}layers: {{a: {{op: linear, "
            "out_features: 'width - k if i == 5 else width', repeat: n}}"
        ),
        {"k": 4},
    ),
    "no copies": (
        f"params: {{width: 4, n: 2}}\n{X}layers: {{a: {{op: linear, out_features: width, repeat: n}}}}",
        {"n": 0},
    ),
    "a size under a condition that does not hold": (
        REFUSED["a size under a condition that holds"][0],
        {"k": 4, "on": False},
    ),
    "a list that is long enough for index i - 1": (
        (
            f"params: {{width: 4, n: 3, widths: [4, 8]}}\n{X}"
            "layers: {a: {op: linear, out_features: 'width if i == 0 else widths[i - 1]', repeat: n}}"
        ),
        {"widths": (5, 6)},
    ),
    "a longer list": (
        REFUSED["a list that is shorter than the copies"][0],
        {"widths": (4, 8, 3)},
    ),
}


def _network(folder: Path, text: str) -> Any:
    file = folder / "net.yaml"
    file.write_text(f"name: Net\n{text}\n")
    return load_program(compile_spec(file))[""]


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, tmp_path: Path) -> None:
    text, values, message = REFUSED[case]
    kind = _network(tmp_path, text)
    kind()
    with pytest.raises(ValueError, match=re.escape(message)):
        kind(**values)


@pytest.mark.parametrize("case", TAKEN)
def test_taken(case: str, tmp_path: Path) -> None:
    text, values = TAKEN[case]
    _network(tmp_path, text)(**values)


def test_a_size_by_which_another_use_would_divide_by_zero(tmp_path: Path) -> None:
    """A layer that is off where its size is 0 has no size there, and gives the class none."""
    text = (
        "params: {steps: [2, 0]}\ninputs: {x: 'float[B, 3, H, W]'}\n"
        "layers: {a: {op: Stage, step: 'steps[i]', repeat: len(steps)}}\n"
        "blocks:\n  Stage:\n    params: {step: int}\n    inputs: {x: 'float[B, C, H, W]'}\n    layers:\n"
        "      short: {when: step > 1, layers: [{op: conv2d, out_channels: C, kernel_size: step, stride: step, "
        "padding: step - 1}, relu]}\n      mean: {op: mean, dim: [2, 3], keepdim: true}\n"
        "      sum: {op: add, in: [mean, x]}\n"
    )
    _network(tmp_path, text)()


def test_a_flag_that_is_given_as_a_word_stands_in_no_demand(tmp_path: Path) -> None:
    """What a block asks of its numbers under a flag is asked once, or never, by what gives the flag."""
    text = (
        "params: {width: 8, groups: 2}\ninputs: {x: 'float[B, width, T]'}\n"
        "layers: {a: {op: Part, on: true, groups: groups}, b: {op: Part, on: false, groups: groups}}\n"
        "blocks: {Part: {params: {on: bool, groups: int}, inputs: {x: 'float[B, C, T]'}, "
        "layers: {norm: {op: group_norm, num_groups: groups, when: on}, act: relu}}}"
    )
    path = tmp_path / "net.yaml"
    path.write_text(f"name: Net\n{text}\n", encoding="utf-8")
    code = compile_spec(path).python
    assert "True and" not in code and "False and" not in code
    assert code.count("width % groups") == 1
