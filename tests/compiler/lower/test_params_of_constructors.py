"""A constructor takes the params at whose other values its class does what the spec says; the others are fixed."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch

from compiler import compile_spec
from runtime.load import load_program
from runtime.verify import verify

MASK = "bool[B, T]?"
ATTENTION = "{op: attention, num_heads: 1, is_causal: flag, in: {query: x, key: x, value: x, mask: mask}}"

SPECS = {
    "what an item of a list switches on, where others of all sizes do not compile": (
        (
            "params: {length: 140, pools: [3, 3, 0]}\ninputs: {x: 'float[B, 3, length]'}\nlayers:\n"
            "  convs: {op: Blk, pool: 'pools[i]', repeat: len(pools)}\n  flat: flatten\n"
            "  y: {op: linear, out_features: 4}\n"
            "blocks: {Blk: {params: {pool: int}, inputs: {x: 'float[B, C, T]'}, layers: {"
            "conv: {op: conv1d, out_channels: 8, kernel_size: 7}, "
            "pool: {op: max_pool1d, kernel_size: pool, when: pool > 0}}}}"
        ),
        {"pools"},
    ),
    "a flag that the code of an op depends on, and no argument shows": (
        f"params: {{flag: true}}\ninputs: {{x: 'float[B, T, 8]', mask: '{MASK}'}}\nlayers: {{a: {ATTENTION}}}",
        {"flag"},
    ),
    "a factor by which a size grows": (
        (
            "params: {factor: 2.0}\ninputs: {x: 'float[B, 4, 10]'}\n"
            "layers: {a: {op: interpolate, scale_factor: factor}, b: {op: linear, out_features: 2}}"
        ),
        {"factor"},
    ),
    "copies that none of the compiled values runs": (
        (
            "params: {n: 0}\ninputs: {x: 'float[B, 8]'}\n"
            "layers:\n  g: {repeat: n, layers: [{op: linear, out_features: 8}]}\n  t: tanh"
        ),
        {"n"},
    ),
    "what is off inside what has no copies": (
        (
            "params: {n: 0, on: true}\ninputs: {x: 'float[B, 8]'}\nlayers:\n"
            "  g: {repeat: n, in: x, layers: {s: {op: sort, when: on, in: x}}}\n  t: {op: tanh, in: g}"
        ),
        {"n"},
    ),
    "an output that a layer has only where it runs": (
        (
            "params: {on: false}\ninputs: {x: 'float[B, 8]'}\nlayers: {b: {op: Blk, when: on}}\noutputs: {o: b}\n"
            "blocks: {Blk: {inputs: {x: 'float[B, D]'}, layers: {a: tanh, b: relu}, outputs: {y: a, z: b}}}"
        ),
        set(),
    ),
    "a width by chance where only another count runs the layer before": (
        (
            "params: {width: 8, n: 1}\ninputs: {x: 'float[B, width]'}\n"
            "layers: {b: {op: Blk, width: 6, on: n % 2 == 0, repeat: n}}\n"
            "blocks: {Blk: {params: {width: int, on: bool}, inputs: {x: 'float[B, D]'}, layers: {"
            "wider: {op: linear, out_features: width + 2, when: on}, back: {op: linear, out_features: D}}}}"
        ),
        {"width"},
    ),
    "a condition that only more copies meet": (
        (
            "params: {n: 0, m: 1}\ninputs: {x: 'float[B, 8]'}\nlayers:\n"
            "  b: {op: Blk, act: elu, on: n > 1, repeat: n}\n  c: {op: Blk, act: elu, on: m > 20}\n"
            "blocks: {Blk: {params: {act: op, on: bool}, inputs: {x: 'float[B, D]'}, layers: {"
            "l: {op: linear, out_features: D}, act: $act, m: {op: $act, when: on}, s: {op: add, in: [x, m]}}}}"
        ),
        set(),
    ),
    "what a number switches on inside what a flag does": (
        (
            "params: {n: 1, other: false}\ninputs: {x: 'float[B, 8]'}\n"
            "layers: {b: {op: Blk, n: n, when: other}, t: tanh}\n"
            "blocks: {Blk: {params: {n: int}, inputs: {x: 'float[B, D]'}, layers: {"
            "m: {op: layer_norm, when: n % 2 == 0}, s: {op: add, in: [x, m]}}}}"
        ),
        set(),
    ),
    "an output that only some numbers give": (
        (
            "params: {n: 2}\ninputs: {x: 'float[B, 8]'}\n"
            "layers: {b: {op: Blk, when: n % 2 == 0}}\noutputs: {o: b.y}\n"
            "blocks: {Blk: {inputs: {x: 'float[B, D]'}, layers: {t: tanh}, outputs: {y: t}}}"
        ),
        {"n"},
    ),
    "a rule for a tensor beside one that is parametrized": (
        (
            "inputs: {x: 'float[B, 8]'}\n"
            "layers: {l: {op: linear, out_features: 8, parametrize: spectral_norm}}\n"
            "init: {linear: {bias: zeros}}"
        ),
        set(),
    ),
    "no copies of what has further outputs, which nothing reads": (
        (
            "params: {n: 0}\ninputs: {x: 'float[B, 8]'}\nlayers: {b: {op: Blk, repeat: n}}\n"
            "blocks: {Blk: {inputs: {x: 'float[B, D]'}, layers: {a: tanh}, outputs: {x: a, z: x}}}"
        ),
        set(),
    ),
    "an init that is not for what an op's module holds": (
        (
            "params: {width: 16}\ninputs: {x: 'float[B, T, width]'}\n"
            "layers:\n  m: {op: multihead_attention, num_heads: 2}\n"
            "  l: {op: linear, out_features: width}\n"
            "init: {linear: {weight: {normal: {std: 0.3}}}}"
        ),
        set(),
    ),
    "a rank that a block asks for, where another number runs it": (
        (
            "params: {n: 1}\ninputs: {x: 'float[B, T, 4]'}\nlayers: {t: tanh, b: {op: Blk, when: n % 2 == 0}}\n"
            "blocks: {Blk: {inputs: {x: 'float[B, D]'}, layers: {t: tanh}}}"
        ),
        {"n"},
    ),
    "a width that equals another at the compiled values": (
        (
            "params: {width: 4, n: 2}\ninputs: {x: 'float[B, 8]'}\nlayers:\n"
            "  wider: {op: linear, out_features: 2 * width, when: n % 2 == 0}\n  back: {op: linear, out_features: 8}"
        ),
        {"n"},
    ),
    "a width that one copy more has, where another is given than is computed": (
        (
            "params: {width: 4, hidden: 2 * width, n: 1}\ninputs: {x: 'float[B, 4]'}\nlayers:\n"
            "  a: {op: linear, out_features: 2 * width}\n  b: {op: linear, out_features: hidden, repeat: n}"
        ),
        {"n"},
    ),
    "a width that stays without copies, where another is given than is computed": (
        (
            "params: {width: 4, hidden: 2 * width, n: 1}\ninputs: {x: 'float[B, 4]'}\nlayers:\n"
            "  a: {op: linear, out_features: 2 * width}\n  b: {op: Blk, width: hidden, repeat: n}\n"
            "  c: {op: linear, out_features: 3}\n"
            "blocks: {Blk: {params: {width: int}, inputs: {x: 'float[B, D]'}, layers: {"
            "m: {op: mean, dim: -1, keepdim: true}, a: {op: linear, out_features: width}}}}"
        ),
        set(),
    ),
    "a width that one copy more has, where an item of a list equals it": (
        (
            "params: {width: 4, widths: [4, 6], n: 1}\ninputs: {x: 'float[B, 4]'}\nlayers:\n"
            "  a: {op: linear, out_features: width}\n  b: {op: linear, out_features: 'widths[0]', repeat: n}"
        ),
        {"n"},
    ),
    "a width that stays without copies, where an item of a list equals it": (
        (
            "params: {width: 4, widths: [4, 6], n: 1}\ninputs: {x: 'float[B, 4]'}\nlayers:\n"
            "  a: {op: linear, out_features: width}\n  b: {op: Blk, width: 'widths[0]', repeat: n}\n"
            "  c: {op: linear, out_features: 3}\n"
            "blocks: {Blk: {params: {width: int}, inputs: {x: 'float[B, D]'}, layers: {"
            "m: {op: mean, dim: -1, keepdim: true}, a: {op: linear, out_features: width}}}}"
        ),
        set(),
    ),
}


@pytest.mark.parametrize("case", SPECS)
def test_params_that_do_not_hold_are_fixed(case: str, tmp_path: Path) -> None:
    body, fixed = SPECS[case]
    path = tmp_path / "net.yaml"
    path.write_text(f"name: Net\n{body}\n", encoding="utf-8")
    program = compile_spec(path)
    assert not verify(program).problems
    kind = load_program(program)[""]
    for name in fixed:
        assert name not in inspect.signature(kind).parameters
        assert f"for {name} = " in (kind.__doc__ or "")


@pytest.mark.parametrize(
    ("params", "layers", "values", "message"),
    [
        ("width: 4", "{op: linear, out_features: width}", {"width": 0}, "width must"),
        (
            "width: 4, n: 2",
            "{op: linear, out_features: width + n}",
            {"n": 0, "width": 1},
            "",
        ),
        (
            "widths: [3, 5]",
            "{op: linear, out_features: 'widths[0]'}",
            {"widths": ()},
            "len",
        ),
        (
            "width: {type: int, default: 4, min: 2, max: 6}",
            "{op: linear, out_features: width}",
            {"width": 7},
            "width must be at most 6",
        ),
        (
            "p: {type: float, default: 0.1, choices: [0.1, 0.2]}",
            "{op: dropout, p: p}",
            {"p": 0.3},
            "p must be one of 0.1, 0.2",
        ),
    ],
)
def test_what_does_not_compile_is_refused(
    params: str, layers: str, values: dict[str, object], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        f"name: Net\nparams: {{{params}}}\ninputs: {{x: 'float[B, 8]'}}\nlayers: {{a: {layers}}}\n",
        encoding="utf-8",
    )
    kind = load_program(compile_spec(path))[""]
    kind()
    if not message:
        kind(**values)
        return
    with pytest.raises(ValueError, match=message):
        kind(**values)


def test_a_condition_over_fixed_params_is_decided(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: Net\nparams: {again: false}\ninputs: {x: 'float[B, 4]'}\nlayers:\n"
        "  a: {op: linear, out_features: 6}\n"
        "  c: {op: concat, dim: -1, in: [x, a], when: again, else: a}\n"
        "  d: {op: linear, out_features: 6, repeat: 2}\n",
        encoding="utf-8",
    )
    program = compile_spec(path)
    assert "for again = False" in program.python
    assert "torch.cat" not in program.python
    assert " if " not in program.python.partition("def forward")[2]
    assert not verify(program).problems


BY_FLOATS: dict[str, tuple[str, str, dict[str, object]]] = {
    "a float alone": ("r: 0.5", "round(8 * r)", {"r": 0.375}),
    "a root": ("r: 0.5", "round(8 * sqrt(r))", {"r": 0.25}),
    "a factor": ("r: 0.5, width: 8", "width * round(4 * exp(r))", {"r": 0.25}),
    "a choice": ("r: 0.5, width: 8", "width if r > 0.3 else 3", {"r": 0.25}),
    "a list": ("r: [0.5, 0.25]", "round(8 * r[i])", {"r": (0.375, 0.75)}),
}


@pytest.mark.parametrize("case", BY_FLOATS)
def test_a_size_that_floats_give_is_their_formula(case: str, tmp_path: Path) -> None:
    params, size, values = BY_FLOATS[case]
    repeat = ", repeat: 2" if case == "a list" else ""
    path = tmp_path / "net.yaml"
    path.write_text(
        f"name: Net\nparams: {{{params}}}\ninputs: {{x: 'float[B, 8]'}}\nlayers:\n"
        f"  a: {{op: linear, out_features: '{size}'{repeat}}}\n"
        "  b: {op: linear, out_features: 3}\n",
        encoding="utf-8",
    )
    kind = load_program(compile_spec(path))[""]
    for net in (kind(), kind(**values)):
        assert net(torch.zeros(2, 8)).shape == (2, 3)


_COUNTED: dict[str, tuple[str, str, dict[str, object]]] = {
    "halves": ("n: 3, width: 64", "width // 2 ** i", {"n": 6}),
    "steps of two": ("n: 3, width: 64", "width * 2 ** (i // 2)", {"n": 6}),
    "items of a list": (
        "n: 4, width: 64, hs: [64, 16, 32, 9]",
        "hs[i // 2]",
        {"n": 6, "hs": (3, 16, 32, 9)},
    ),
    "sums of items": (
        "ws: [8, 16, 30], width: 8",
        "ws[i] * 2 - ws[0]",
        {"ws": (8, 16, 30, 7, 9)},
    ),
}


@pytest.mark.parametrize("case", _COUNTED)
@pytest.mark.parametrize("block", ["linear", "Blk"])
def test_more_copies_go_on_as_the_formula_says_or_are_fixed(
    case: str, block: str, tmp_path: Path
) -> None:
    params, size, values = _COUNTED[case]
    count = "n" if "n" in values else "len(ws)"
    own = "out_features" if block == "linear" else "size"
    path = tmp_path / "net.yaml"
    path.write_text(
        f"name: Net\nparams: {{{params}}}\ninputs: {{x: 'float[B, width]'}}\n"
        f"layers: {{a: {{op: {block}, {own}: '{size}', repeat: {count}}}}}\n"
        "blocks: {Blk: {params: {size: int}, inputs: {x: 'float[B, D]'}, "
        "layers: {a: {op: linear, out_features: size}}}}\n",
        encoding="utf-8",
    )
    program = compile_spec(path)
    assert not verify(program).problems
    kind = load_program(program)[""]
    taken = inspect.signature(kind).parameters
    kept = {name: value for name, value in values.items() if name in taken}
    width = 8 if "ws" in values else 64
    kind(**kept)(torch.zeros(2, width))
    for name in values.keys() - kept.keys():
        assert f"{name} = " in (kind.__doc__ or "")


def test_sizes_that_are_listed_fix_the_number_of_copies(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: Net\nparams: {n: 3}\ninputs: {x: 'float[B, 64]'}\n"
        "layers: {a: {op: Blk, size: '2 ** (i // 2)', repeat: n}}\n"
        "blocks: {Blk: {params: {size: int}, inputs: {x: 'float[B, D]'}, "
        "layers: {a: {op: linear, out_features: 3 * size + 1}}}}\n",
        encoding="utf-8",
    )
    program = compile_spec(path)
    assert not verify(program).problems
    kind = load_program(program)[""]
    assert "n" not in inspect.signature(kind).parameters
    assert "for n = 3" in (kind.__doc__ or "")


@pytest.mark.parametrize("size", ["round(8 * q)", "k * round(4 * s)", "round(D * q)"])
@pytest.mark.parametrize("repeat", ["", ", repeat: 2"])
def test_floats_of_blocks_are_those_of_the_network(
    size: str, repeat: str, tmp_path: Path
) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: Net\nparams: {r: 0.5}\ninputs: {x: 'float[B, 8]'}\nlayers:\n"
        f"  a: {{op: Outer, p: r * 2{repeat}}}\n  b: {{op: linear, out_features: 3}}\nblocks:\n"
        "  Outer: {params: {p: float}, inputs: {x: 'float[B, D]'}, layers: {a: {op: Blk, q: p / 2}}}\n"
        "  Blk: {params: {q: float, k: 2, s: sqrt(q)}, inputs: {x: 'float[B, D]'}, "
        f"layers: {{a: {{op: linear, out_features: '{size}'}}, b: tanh}}}}\n",
        encoding="utf-8",
    )
    kind = load_program(compile_spec(path))[""]
    assert "r" in inspect.signature(kind).parameters
    for net in (kind(), kind(r=0.375)):
        assert net(torch.zeros(2, 8)).shape == (2, 3)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_float_that_makes_copies_equal_is_no_rule(count: int, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        f"name: Net\nparams: {{r: 0.5, n: {count}}}\ninputs: {{x: 'float[B, 8]'}}\n"
        "layers: {a: {op: linear, out_features: round(16 * r), repeat: n}}\n",
        encoding="utf-8",
    )
    kind = load_program(compile_spec(path))[""]
    values = {"r": 0.75, "n": 4}
    taken = inspect.signature(kind).parameters
    assert "r" in taken
    net = kind(**{name: value for name, value in values.items() if name in taken})
    assert net(torch.zeros(2, 8)).shape == (2, 12)


@pytest.mark.parametrize(
    ("size", "repeat"), [("round(D * q) + D % 2", 40), ("round(8 * q) if k else 3", 1)]
)
def test_a_float_of_a_block_that_has_no_formula_outside_is_fixed(
    size: str, repeat: int, tmp_path: Path
) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: Net\nparams: {r: 0.5}\ninputs: {x: 'float[B, 8]'}\nlayers:\n"
        f"  a: {{op: Blk, q: r * 2, repeat: {repeat}}}\n  b: {{op: linear, out_features: 3}}\n"
        "blocks: {Blk: {params: {q: float, k: true}, inputs: {x: 'float[B, D]'}, "
        f"layers: {{a: {{op: linear, out_features: '{size}'}}}}}}}}\n",
        encoding="utf-8",
    )
    program = compile_spec(path)
    assert not verify(program).problems
    kind = load_program(program)[""]
    assert "r" not in inspect.signature(kind).parameters
    assert "for r = 0.5" in (kind.__doc__ or "")


def test_a_list_that_the_spec_writes_fixes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: Net\nparams: {n: 3}\ninputs: {x: 'float[B, 8]'}\n"
        "layers: {a: {op: layer_norm, eps: '[0.1, 0.2, 0.3, 0.4][i]', repeat: n}}\n",
        encoding="utf-8",
    )
    kind = load_program(compile_spec(path))[""]
    assert len(kind(n=2).a) == 2


LISTS_THAT_DECIDE = {
    "an item that a condition compares, of a list as long as there are copies": (
        "inputs: {x: 'float[B, 5]'}\nparams: {sizes: '[i + 2 for i in 2]'}\n"
        "layers:\n  copies: {op: tanh, repeat: len(sizes)}\n"
        "  kept: {repeat: 2, when: 'sizes[0] > 4', layers: {mean: {op: buffer, shape: 3}}, outputs: {out: copies}}"
    ),
    "the length of a list that chooses a size": (
        "inputs: {x: 'float[B, 5]'}\nparams: {sizes: [6, 4, 5]}\n"
        "layers:\n  fc: {op: linear, out_features: 'sizes[1:][0] if len(sizes) > 1 else 5'}\n  norm: layer_norm"
    ),
}


@pytest.mark.parametrize("case", LISTS_THAT_DECIDE)
def test_a_list_that_decides_is_tried_on_both_sides(case: str, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(f"name: Net\n{LISTS_THAT_DECIDE[case]}\n")
    network = load_program(compile_spec(file))[""]
    taken = inspect.signature(network).parameters
    for sizes in [(8, 8), (8,), (1, 7, 2)]:
        if "sizes" in taken:
            own = load_program(compile_spec(file, settings={"sizes": sizes}))[""]()
            network(sizes=sizes).load_state_dict(own.state_dict())
