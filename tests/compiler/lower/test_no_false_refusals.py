"""What compiles can be built: a constructor refuses nothing that the spec takes, least of all its own defaults."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from compiler import compile_spec
from compiler.diagnostics.diagnostic import SpecError
from runtime.load import load_program
from runtime.verify import verify

X = 'inputs: {x: "float[B, T, width]"}\n'

SPECS: dict[str, tuple[str, dict[str, Any]]] = {
    "integers that become floats of the default dtype": (
        (
            "params: {width: 8}\ninputs: {x: 'int[B, 12]'}\n"
            "layers: [{op: one_hot, num_classes: 8}, {op: to, dtype: float}, {op: transpose, dim0: 1, dim1: 2}, "
            "{op: conv1d, out_channels: width, kernel_size: 3}]"
        ),
        {"width": 4},
    ),
    "a tensor that is initialised where it is there": (
        (
            f"params: {{width: 8, noise: true}}\n{X}"
            "layers: {strength: {op: parameter, shape: [width], init: {weight: ones}, when: noise, else: null}, "
            "y: {op: mul, in: [x, strength], when: noise, else: x}}"
        ),
        {"noise": False},
    ),
    "a slice that cuts something off at other widths alone": (
        (
            f"params: {{width: 8, ratio: 2}}\n{X}"
            "layers: {a: {op: linear, out_features: 'ceil_div(width, ratio) * ratio'}, "
            "b: {op: slice, dim: -1, stop: width}, c: {op: linear, out_features: 4}}"
        ),
        {"width": 7, "ratio": 3},
    ),
    "an item that is read where a list has it": (
        (
            f"params: {{width: 8, widths: [4, 6]}}\n{X}"
            'layers: {a: {op: linear, out_features: "widths[2] if len(widths) > 2 else 5"}}'
        ),
        {},
    ),
    "an item that one copy alone reads": (
        (
            f"params: {{width: 8, widths: [4, 6]}}\n{X}"
            'layers: {a: {op: linear, out_features: "widths[i + 1] if i == 0 else width", repeat: 2}}'
        ),
        {},
    ),
    "a size that no copy has": (
        (
            f"params: {{width: 8, n: 1, k: 0}}\n{X}"
            'layers: {a: {op: linear, out_features: "width if i == 0 else k", repeat: n}}'
        ),
        {},
    ),
    "items that stand for another size": (
        (
            f"params: {{width: 8, ex: [4, 0, 6]}}\n{X}"
            'layers: {a: {op: linear, out_features: "ex[i] if ex[i] > 0 else width", repeat: len(ex)}}'
        ),
        {},
    ),
    "a size of layers of which there is no copy": (
        (
            "params: {width: 8, depths: [2, 0], hids: [4, 0]}\n"
            'inputs: {x: "float[B, width]"}\n'
            'layers: {a: {op: S, depth: "depths[i]", hid: "hids[i]", repeat: len(depths)}}\n'
            'blocks:\n  S: {params: {depth: int, hid: int}, inputs: {x: "float[B, D]"}, layers: '
            "{a: {op: linear, out_features: hid, repeat: depth}, b: {op: linear, out_features: D}}}"
        ),
        {},
    ),
    "a size that is cut into uneven chunks": (
        (
            'params: {a: 8, b: 7}\ninputs: {x: "float[B, a]", y: "float[B, b]"}\n'
            "layers: {p: {op: Half, in: x}, q: {op: Half, in: y}}\noutputs: {o: p, r: q}\n"
            'blocks:\n  Half: {inputs: {x: "float[..., D]"}, layers: {l: {op: linear, out_features: D}, '
            "c: {op: chunk, chunks: 2, dim: -1}, t: {op: tanh, in: c.0}}}"
        ),
        {},
    ),
    "a layer of the same name in a group": (
        (
            f"params: {{width: 8, groups: 4, on: true}}\n{X}"
            "layers:\n  a: {op: linear, out_features: width}\n"
            "  g: {when: on, in: {y: a}, layers: {n: {op: attention, num_heads: groups, in: [y, y, y]}, "
            "l: {op: linear, out_features: width}}}\n  n: {op: layer_norm}"
        ),
        {"on": False, "groups": 3},
    ),
}


@pytest.mark.parametrize("case", SPECS)
def test_what_compiles_is_built(case: str, tmp_path: Path) -> None:
    text, values = SPECS[case]
    file = tmp_path / "net.yaml"
    file.write_text(f"name: Net\n{text}\n")
    program = compile_spec(file)
    assert verify(program).problems == ()
    assert compile_spec(file, settings=values).python
    load_program(program)[""](**values)


def test_an_empty_list_is_a_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(
        'name: Net\nparams: {hs: [4, 6]}\ninputs: {x: "float[B, 8]"}\nlayers:\n'
        '  a: {op: linear, out_features: "hs[i]", repeat: len(hs)}\n  b: {op: linear, out_features: "hs[-1]"}\n'
    )
    with pytest.raises(ValueError, match=r"len\(hs\) must be at least 1"):
        load_program(compile_spec(file))[""](hs=())


OF_OPTIONAL = (
    "blocks:\n  A: {inputs: {x: 'float[B, D]', c: 'float[B, C]?'}, layers: "
    "{cc: {op: linear, out_features: D, in: c, when: given(c), else: x}, t: {op: tanh, in: cc}}}\n"
)


@pytest.mark.parametrize(
    "layers",
    [
        "{a: {op: A, in: [x, c]}}",
        "{a: {op: A, in: x}}",
        "{a: {op: A, in: [x, c]}, b: {op: A, in: a}}",
    ],
)
def test_a_dimension_that_an_optional_input_tells(layers: str, tmp_path: Path) -> None:
    """The class takes it where the input may be given; a use that never gives the input has a class of its own."""
    file = tmp_path / "net.yaml"
    file.write_text(
        f"name: Net\ninputs: {{x: 'float[B, 8]', c: 'float[B, 4]?'}}\nlayers: {layers}\n{OF_OPTIONAL}"
    )
    assert verify(compile_spec(file)).problems == ()


X_AND = "name: Net\ninputs: {x: 'float[B, T, 8]', "
ATTENTION = "op: attention, num_heads: 2, in: {query: x, key: x, value: x"
SINKS = X_AND + "s: 'float[2]?'}\nlayers: {"
SCAN = (
    "s: {op: S, scan: T, carry: {h: 'zeros[B, 8]'}, in: {x: x, m: MASK}}}\noutputs: {o: s.h}\n"
    "blocks: {S: {inputs: {x: 'float[B, D]', m: 'float[B, D]OPTIONAL', h: 'float[B, D]'}, layers: "
    "{n: {op: add, in: [x, h]}, k: {op: add, in: [n, m]WHEN}}, outputs: {h: k}}}\n"
)
MASKED = X_AND + "m: 'float[B, T, 8]?'}\nlayers: {"
OPTIONAL = SCAN.replace("MASK", "m").replace("OPTIONAL", "?")

ADVICE: dict[str, tuple[str, str, str]] = {
    "sinks": (
        f"{SINKS}a: {{{ATTENTION}, sinks: s}}}}}}\n",
        "its code differs with and without s: write a layer with `when: given(s)`, and one with `when: not given(s)`",
        (
            f"{SINKS}b: {{{ATTENTION}}}, when: not given(s), else: null}}, "
            f"a: {{{ATTENTION}, sinks: s}}, when: given(s), else: b}}}}\n"
        ),
    ),
    "an input that a scan splits": (
        MASKED + OPTIONAL.replace("WHEN", ", when: given(m), else: n"),
        "a scan splits m, which may be absent: give it a value with `when: given(m)` and `else`",
        (
            MASKED
            + "z: {op: tanh, in: m, when: given(m), else: x}, "
            + SCAN.replace("MASK", "z").replace("OPTIONAL", "").replace("WHEN", "")
        ),
    ),
}


@pytest.mark.parametrize("case", ADVICE)
def test_what_differs_with_and_without_an_input_says_what_to_write(
    case: str, tmp_path: Path
) -> None:
    refused, advice, followed = ADVICE[case]
    file = tmp_path / "net.yaml"
    file.write_text(refused)
    with pytest.raises(SpecError, match=re.escape(advice)):
        assert compile_spec(file).python
    file.write_text(followed)
    assert verify(compile_spec(file)).problems == ()
