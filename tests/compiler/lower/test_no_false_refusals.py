"""What compiles can be built: a constructor refuses nothing that the spec takes, least of all its own defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compiler import compile_spec
from compiler.diagnostics.diagnostic import SpecError
from runtime.load import load_program
from runtime.verify import verify

X = 'inputs: {x: "float[B, T, width]"}\n'

SPECS: dict[str, tuple[str, dict[str, Any]]] = {
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


def test_a_dimension_that_an_optional_input_tells(tmp_path: Path) -> None:
    """No module knows it where the input is not given: that is said, and is no traceback."""
    file = tmp_path / "net.yaml"
    file.write_text(
        'name: Net\ninputs: {x: "float[B, 8]", c: "float[B, 4]?"}\nlayers: {a: {op: A, in: [x, c]}}\nblocks:\n'
        '  A: {inputs: {x: "float[B, D]", c: "float[B, C]?"}, layers: '
        "{cc: {op: linear, out_features: D, in: c, when: given(c), else: x}}}\n"
    )
    with pytest.raises(SpecError, match="no-code"):
        assert compile_spec(file).python
