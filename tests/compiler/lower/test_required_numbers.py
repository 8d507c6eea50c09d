"""A constructor refuses, with a message in the names of the spec, numbers for which its layers cannot be built."""

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
HEADS = (
    "blocks: {Heads: {params: {heads: int}, inputs: {x: 'float[B, T, D]'}, "
    "layers: {q: {op: linear, out_features: D}, "
    "a: {op: attention, num_heads: heads, in: {query: q, key: q, value: q}}}}}"
)
PART = (
    "blocks: {Part: {params: {size: int}, inputs: {x: 'float[B, D]'}, "
    "layers: {a: {op: linear, out_features: size}}}}"
)

SEEN = "inputs: {x: 'float[B, T, 8]'}\nlayers:\n  l: {op: linear, out_features: width, in: x}\n"

REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a default that no layer needs": (
        (
            f"params: {{width: 8, n: 2, half: width // n, sizes: '[i for i in n]'}}\n{X}"
            "layers: {a: {op: linear, out_features: n + 1}}"
        ),
        {"n": 0},
        "width and n must be at least 1",
    ),
    "a counted list of fewer than no items in a default": (
        (
            f"params: {{width: 8, n: 2, sizes: '[i + 1 for i in n]'}}\n{X}"
            "layers: {a: {op: linear, out_features: sum(sizes) + 1}}"
        ),
        {"n": -1},
        "n must be at least 0",
    ),
    "a power that is no whole number for a block": (
        f"params: {{width: 8, n: 2}}\n{X}layers: {{a: {{op: Part, size: 2 ** n}}}}\n{PART}",
        {"n": -1},
        "n must be at least 0",
    ),
    "a list that a formula gives, under a condition": (
        (
            f"params: {{width: 8, sizes: [8, 2]}}\n{X}"
            "layers: {p: {op: parameter, shape: '[sizes[0]]', when: 'sizes[1] > 4', else: x}}"
        ),
        {"sizes": (0, 5)},
        "sizes[0] must be at least 1",
    ),
    "a float below 0": (
        f"params: {{width: 8, depth: 2, eps: 1e-5}}\n{X}layers: {{n: {{op: layer_norm, eps: eps, repeat: depth}}}}",
        {"eps": -1.0},
        "depth and eps must be at least 0",
    ),
    "a float that is not above 0": (
        (
            "params: {cap: 3.0, caps: true}\ninputs: {x: 'float[B, T, 16]'}\n"
            "layers: {a: {op: attention, num_heads: 4, softcap: cap, in: [x, x, x], when: caps}}"
        ),
        {"cap": 0.0},
        "cap must be above 0",
    ),
    "a list that is read from its start again and again": (
        (
            f"params: {{width: 8, depth: 3, parts: [2, 4]}}\n{X}"
            "layers: {p: {op: Mix, parts: 'parts[i % len(parts)]', repeat: depth}}\n"
            "blocks: {Mix: {params: {parts: int}, inputs: {x: 'float[B, D]'}, "
            "layers: {a: {op: linear, out_features: 2 * parts}, b: {op: linear, out_features: D}}}}"
        ),
        {"parts": ()},
        "len(parts) must be at least 1",
    ),
    "a factor of a product whose others are sizes": (
        (
            f"params: {{width: 8, ratio: 2}}\n{X}"
            "layers: {a: {op: linear, out_features: 'ceil_div(width, ratio) * (ratio - 1)'}}"
        ),
        {"ratio": 1},
        "ratio must be at least 2",
    ),
    "a number that an initial value is divided by": (
        (
            f"params: {{width: 8, prior: 0.1}}\n{X}layers: {{a: {{op: linear, out_features: 4, "
            "init: {bias: {constant: -log((1 - prior) / prior)}}}}"
        ),
        {"prior": 0.0},
        "prior must not be 0",
    ),
    "a logarithm of a number below 0": (
        (
            f"params: {{width: 8, prior: 0.1}}\n{X}layers: {{a: {{op: linear, out_features: 4, "
            "init: {bias: {constant: -log((1 - prior) / prior)}}}}"
        ),
        {"prior": 2.0},
        "(1 - prior) / prior must be above 0",
    ),
    "a standard deviation below 0": (
        (
            f"params: {{width: 8, depth: 2, std: 0.02}}\n{X}"
            "layers: {a: {op: linear, out_features: width, repeat: depth}}\n"
            "init: {linear: {weight: {normal: {std: 2 * std}}}}"
        ),
        {"std": -0.02},
        "std must be at least 0",
    ),
    "a padding that a kernel takes off again": (
        (
            "params: {extra: 2, kernel: 3}\ninputs: {x: 'float[B, 8, 6]'}\nlayers:\n"
            "  z: {op: zeros, shape: [B, 8, extra]}\n"
            "  p: {op: zero_pad1d, padding: [(kernel - 1) // 2, kernel // 2]}\n"
            "  y: {op: avg_pool1d, kernel_size: kernel, stride: 1}"
        ),
        {"extra": 0},
        "extra and kernel must be at least 1",
    ),
    "copies in a list, of which a second output is read": (
        (
            "params: {depths: [2, 1]}\ninputs: {x: 'float[B, 8]', y: 'float[B, 8]'}\n"
            "layers: {s: {op: Stack, depth: 'depths[i]', repeat: len(depths), in: [x, y]}}\n"
            "outputs: {x: s.x, y: s.y}\nblocks:\n"
            "  Stack: {params: {depth: int}, inputs: {x: 'float[B, D]', y: 'float[B, D]'}, "
            "layers: {p: {op: Pair, repeat: depth, in: [x, y]}}, outputs: {x: p.x, y: p.y}}\n"
            "  Pair: {inputs: {x: 'float[B, D]', y: 'float[B, D]'}, layers: {a: {op: linear, out_features: D, in: x}, "
            "b: {op: linear, out_features: D, in: y}}, outputs: {x: a, y: b}}"
        ),
        {"depths": (0, 1)},
        "depths must be at least 1",
    ),
    "a number of copies among more sizes than a line names": (
        (
            "params: {depth: 2, vocabulary: 9, embedding: 8, hidden: 6, projection: 5, intermediate: 7, classes: 4}\n"
            "inputs: {x: 'int[B]'}\nlayers:\n"
            "  e: {op: embedding, num_embeddings: vocabulary, embedding_dim: embedding}\n"
            "  h: {op: linear, out_features: hidden, repeat: depth}\n"
            "  p: {op: linear, out_features: projection}\n  m: {op: linear, out_features: intermediate}\n"
            "  c: {op: linear, out_features: classes}"
        ),
        {"hidden": 0},
        "all sizes and numbers of copies must be at least 1",
    ),
    "a share above 1, which torch takes until it runs": (
        (
            "params: {drops: [0.1, 0.2]}\ninputs: {x: 'float[B, T, 16]'}\n"
            "layers: {a: {op: Self, p: 'drops[i]', repeat: 2}}\n"
            "blocks: {Self: {params: {p: float}, inputs: {x: 'float[B, T, D]'}, "
            "layers: {a: {op: attention, num_heads: 4, dropout_p: p, in: [x, x, x]}}}}"
        ),
        {"drops": (0.1, 1.5)},
        "drops[i] must be from 0 to 1",
    ),
    "heads that come to 0 before they divide": (
        (
            "params: {dim: 4, n: 1}\ninputs: {x: 'float[B, T, 16]'}\n"
            "layers: {a: {op: attention, num_heads: 16 // dim, in: [x, x, x], when: n > 0, else: x}}"
        ),
        {"dim": 17},
        "dim must be at most 16",
    ),
    "a width that does not split": (
        f"params: {{width: 16, heads: 4}}\n{SEEN}  s: {{op: unflatten, dim: -1, sizes: [heads, -1]}}",
        {"heads": 3},
        "width must be a multiple of heads",
    ),
    "a shape that leaves a rest": (
        f"params: {{width: 16, parts: 4}}\n{SEEN}  s: {{op: reshape, shape: [B, T, -1, parts]}}",
        {"width": 18},
        "width must be a multiple of parts",
    ),
    "a shape of other elements": (
        f"params: {{width: 16, parts: 8}}\n{SEEN}  s: {{op: reshape, shape: [B, T, parts, 2]}}",
        {"parts": 4},
        "width and 2 * parts must be equal",
    ),
    "a padding of more than half a window": (
        f"params: {{width: 16, k: 3}}\n{SEEN}  p: {{op: max_pool1d, kernel_size: k, padding: 1}}",
        {"k": 1},
        "k must be at least 2",
    ),
    "too few positions": (
        (
            f"params: {{width: 16, many: 20}}\n{SEEN}"
            "  p: {op: position_embedding, num_embeddings: many, embedding_dim: 4, dim: 2}"
        ),
        {"many": 8},
        "many must be at least width",
    ),
    "sizes that a block adds": (
        (
            f"params: {{width: 4, other: 4}}\n{SEEN}  r: {{op: linear, out_features: other, in: x}}\n"
            "  s: {op: Sum, in: [l, r]}\n"
            "blocks: {Sum: {inputs: {x: 'float[B, T, C]', y: 'float[B, T, D]'}, layers: {s: {op: add, in: [x, y]}}}}"
        ),
        {"other": 5},
        "width and other must be equal",
    ),
    "a sum that rounding breaks, in a block": (
        (
            f"params: {{width: 8}}\n{SEEN}  r: {{op: Res, repeat: 2}}\n"
            "blocks: {Res: {inputs: {x: 'float[B, T, D]'}, layers: {h: {op: linear, out_features: '2 * (D // 2)'}, "
            "s: {op: add, in: [x, h]}}}}"
        ),
        {"width": 5},
        "width must be a multiple of 2",
    ),
    "a kernel that changes the length": (
        (
            "params: {k: 3}\ninputs: {x: 'float[B, 4, T]'}\nlayers:\n"
            "  c: {op: conv1d, out_channels: 4, kernel_size: k, padding: k // 2}\n  s: {op: add, in: [x, c]}"
        ),
        {"k": 4},
        "k and 2 * (k // 2) + 1 must be equal",
    ),
    "what a layer that is chosen needs": (
        (
            f"params: {{width: 16, heads: 4, far: true}}\n{SEEN}"
            "  a: {choose: [{when: far, op: attention, num_heads: heads}, {op: attention, num_heads: heads, "
            "is_causal: true}], in: {query: l, key: l, value: l}}"
        ),
        {"heads": 3},
        "width must be a multiple of heads",
    ),
    "a number of copies below 0": (
        f"params: {{width: 4, n: 2}}\n{X}layers: {{a: {{op: linear, out_features: width, repeat: n}}}}",
        {"n": -1},
        "n must be at least",
    ),
    "a quotient that comes to 0": (
        f"params: {{width: 4, k: 2}}\n{X}layers: {{a: {{op: linear, out_features: 4 // k}}}}",
        {"k": 8},
        "k must be at most 4",
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
        "width must be at least n",
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
    "half of an item": (
        (
            f"params: {{width: 4, widths: [4, 8]}}\n{X}"
            "layers: {a: {op: linear, out_features: 'widths[i] // 2', repeat: len(widths)}}"
        ),
        {"widths": (4, 1)},
        "widths must be at least 2",
    ),
    "an item that a block takes something from": (
        (
            f"params: {{width: 4, widths: [4, 8], k: 1}}\n{X}"
            f"layers: {{a: {{op: Part, size: 'widths[i] - k', repeat: len(widths)}}}}\n{PART}"
        ),
        {"k": 4},
        "widths[i] - k must be at least 1",
    ),
    "heads of a list that do not divide": (
        (
            "params: {width: 8, heads: [2, 4]}\ninputs: {x: 'float[B, T, width]'}\n"
            f"layers: {{a: {{op: Heads, heads: 'heads[i]', repeat: len(heads)}}}}\n{HEADS}"
        ),
        {"heads": (4, 3)},
        "width must be a multiple of heads[i]",
    ),
    "heads that do not divide in the copies after the first": (
        (
            "params: {width: 8, heads: 2, n: 2}\ninputs: {x: 'float[B, T, width]'}\n"
            "layers: {g: {repeat: n, layers: {q: {op: linear, out_features: width}, "
            "a: {op: attention, num_heads: heads, in: {query: q, key: q, value: q}, when: i > 0}}}}"
        ),
        {"heads": 3},
        "width must be a multiple of heads",
    ),
    "more of the largest than there are": (
        (
            f"params: {{width: 4, experts: 4, k: 2}}\n{X}"
            "layers: {gate: {op: linear, out_features: experts}, top: {op: topk, k: k}}\noutputs: {o: top.values}"
        ),
        {"k": 5},
        "experts must be at least k",
    ),
    "a divisor that comes to 0": (
        f"params: {{width: 4, k: 3, m: 1}}\n{X}layers: {{a: {{op: linear, out_features: '8 // (k - m)'}}}}",
        {"k": 1},
        "k must not be m",
    ),
    "a divisor of a default": (
        f"params: {{width: 4, k: 2, m: 8 // k}}\n{X}layers: {{a: {{op: linear, out_features: m}}}}",
        {"k": 0},
        "width and k must be at least 1",
    ),
    "a list that a default reads": (
        (
            f"params: {{width: 4, ws: [4, 8], m: 'ws[1]'}}\n{X}"
            "layers: {a: {op: linear, out_features: m}}"
        ),
        {"ws": (4,)},
        "len(ws) must be at least 2",
    ),
    "an item after that of each copy": (
        (
            f"params: {{width: 4, n: 2, ws: [4, 6, 8]}}\n{X}"
            "layers: {a: {op: linear, out_features: 'ws[i + 1]', repeat: n}}"
        ),
        {"n": 3},
        "len(ws) must be at least n + 1",
    ),
    "a number taken from another": (
        f"params: {{width: 4, n: 2}}\n{X}layers: {{a: {{op: linear, out_features: 3 - n}}}}",
        {"n": 3},
        "n must be at most 2",
    ),
    "a sum of several numbers": (
        f"params: {{width: 4, q: 4, m: 2}}\n{X}layers: {{a: {{op: linear, out_features: 'q - m + 2 - 3'}}}}",
        {"q": 3},
        "q - m must be at least 2",
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
    "no copies of a layer whose size is wrong": (
        (
            f"params: {{width: 8, n: 2, k: 4}}\n{X}"
            f"layers: {{a: {{op: Part, size: k - 3, repeat: n}}}}\n{PART}"
        ),
        {"k": 3, "n": 0},
    ),
    "no copies of a layer whose heads do not divide": (
        (
            "params: {width: 8, heads: 2, n: 2}\ninputs: {x: 'float[B, T, width]'}\n"
            f"layers: {{a: {{op: Heads, heads: heads, repeat: n}}}}\n{HEADS}"
        ),
        {"heads": 3, "n": 0},
    ),
    "items that no copy reads": (
        (
            f"params: {{width: 4, n: 2, ws: [4, 8]}}\n{X}"
            "layers: {a: {op: linear, out_features: 'ws[i]', repeat: n}}"
        ),
        {"ws": (4, 8, 0)},
    ),
    "a list of which nothing reads the other items": (
        (
            f"params: {{width: 4, ws: [4, 8]}}\n{X}"
            "layers: {a: {op: linear, out_features: 'ws[0]'}, b: {op: linear, out_features: 'ws[1]'}}"
        ),
        {"ws": (4, 8, 0)},
    ),
    "no items for no copies": (
        (
            f"params: {{width: 4, n: 2, ws: [4, 8]}}\n{X}"
            "layers: {a: {op: linear, out_features: 'ws[i]', repeat: n}}"
        ),
        {"ws": (), "n": 0},
    ),
    "a size of 0 of layers that are off": (
        (
            f"params: {{width: 4, k: 2, on: true}}\n{X}layers: {{g: {{when: on, layers: {{"
            "a: {op: linear, out_features: k}, b: {op: linear, out_features: width}}}}"
        ),
        {"k": 0, "on": False},
    ),
    "a default that is not computed": (
        (
            f"params: {{width: 4, ws: [4, 8], m: 'ws[1]'}}\n{X}"
            "layers: {a: {op: linear, out_features: m}}"
        ),
        {"ws": (4,), "m": 3},
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
    """So does the compiler refuse the spec with these values."""
    text, values, message = REFUSED[case]
    kind = _network(tmp_path, text)
    kind()
    with pytest.raises(ValueError, match=re.escape(message)):
        kind(**values)
    with pytest.raises(SpecError):
        assert compile_spec(tmp_path / "net.yaml", settings=values).python


def _shapes(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(one.shape) for name, one in module.state_dict().items()}


@pytest.mark.parametrize("case", TAKEN)
def test_taken(case: str, tmp_path: Path) -> None:
    """And the network is that of the spec with these values."""
    text, values = TAKEN[case]
    module = _network(tmp_path, text)(**values)
    other = load_program(compile_spec(tmp_path / "net.yaml", settings=values))[""]()
    assert _shapes(module) == _shapes(other)


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


def test_a_slice_that_cuts_nothing(tmp_path: Path) -> None:
    """At a smaller width it would cut nothing either, and the layers after it would have another size."""
    text = (
        "params: {width: 8, stop: 8}\ninputs: {x: 'float[B, 4]'}\nlayers:\n"
        "  a: {op: linear, out_features: width}\n  s: {op: slice, dim: 1, stop: stop}\n"
        "  y: {op: linear, out_features: 3}"
    )
    kind = _network(tmp_path, text)
    assert _shapes(kind(width=9))["y.weight"] == (3, 8)
    with pytest.raises(ValueError, match="width must be at least 8"):
        kind(width=7)


STAGES = (
    "params: {depths: [1, 1], widths: [1, 1]}\ninputs: {x: 'float[B, 4]'}\n"
    "layers: {stages: {op: Stage, width: 'widths[i]', depth: 'depths[i]', repeat: len(depths)}, gain: Gain}\n"
    "blocks:\n  Stage: {params: {width: int, depth: int}, inputs: {x: 'float[B, D]'}, "
    "layers: {fcs: {op: linear, out_features: width, repeat: depth}}}\n"
    "  Gain: {inputs: {x: 'float[B, D]'}, layers: {gain: {op: parameter, shape: D, value: 1 / D}, "
    "y: {op: mul, in: [x, gain]}}}"
)


@pytest.mark.parametrize("depths", [(0, 0), (0, 1)])
def test_a_list_of_numbers_of_copies_one_of_which_is_none(
    depths: tuple[int, ...], tmp_path: Path
) -> None:
    """Without copies the stage after them has another size, which the class does not follow."""
    kind = _network(tmp_path, STAGES)
    assert _shapes(kind(depths=(2, 3)))["gain.gain"] == (1,)
    with pytest.raises(ValueError, match="depths and widths must be at least 1"):
        kind(depths=depths)


def test_a_list_of_numbers_of_copies_that_keep_their_size(tmp_path: Path) -> None:
    """Where no copies is what the class says, it takes none."""
    same = STAGES.replace("width: 'widths[i]'", "width: 4")
    module = _network(tmp_path, same)(depths=(0, 1))
    assert _shapes(module)["gain.gain"] == (4,)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"a": 5}, "w and a must be equal"),
        ({"c": 9}, "2 * w and c must be equal"),
        ({"w": 3}, "w and a must be equal"),
    ],
)
def test_sizes_that_patterns_of_a_block_want(
    values: dict[str, int], message: str, tmp_path: Path
) -> None:
    """The caller has the size and the param, and the pattern says how they go together."""
    text = (
        "params: {w: 4, a: 4, c: 8}\ninputs: {x: 'float[B, 4]'}\nlayers:\n"
        "  a: {op: linear, out_features: a}\n  c: {op: linear, out_features: c, in: x}\n"
        "  s: {op: Sum, w: w, in: [a, c]}\n"
        "blocks: {Sum: {params: {w: int}, inputs: {x: 'float[B, w]', y: 'float[B, 2 * w]'}, "
        "layers: {s: {op: concat, dim: 1, in: [x, y]}, l: {op: linear, out_features: w}}}}"
    )
    kind = _network(tmp_path, text)
    kind(w=5, a=5, c=10)
    with pytest.raises(ValueError, match=re.escape(message)):
        kind(**values)
    with pytest.raises(SpecError):
        assert compile_spec(tmp_path / "net.yaml", settings=values).python


@pytest.mark.parametrize("values", [{"ns": ()}, {"ns": (), "ws": ()}])
def test_an_empty_list_is_refused_before_its_items_are_read(
    values: dict[str, Any], tmp_path: Path
) -> None:
    """What is collected of copies needs one, which is said before anything is asked of items."""
    text = (
        "params: {ns: [2, 2, 3], ws: [4, 8, 16], on: false}\ninputs: {x: 'float[B, 4]'}\nlayers:\n"
        "  a: {op: linear, out_features: 'ws[0]'}\n"
        "  b: {op: Part, n: 'ns[i]', w: 'ws[i]', repeat: {count: len(ns), collect: {all: x}}}\n"
        "  y: {op: linear, out_features: 3, in: b.x}\n"
        "  f: {op: relu, in: b.all.0, when: on, else: null}\noutputs: [y, f?]\n"
        "blocks: {Part: {params: {n: int, w: int}, inputs: {x: 'float[B, D]'}, layers: {"
        "a: {op: linear, out_features: w}, b: {op: linear, out_features: w, repeat: n}}, outputs: {x: b}}}"
    )
    kind = _network(tmp_path, text)
    kind()
    with pytest.raises(ValueError, match=re.escape("len(ns) must be at least 1")):
        kind(**values)


def test_conditions_that_contradict_one_another_demand_nothing(tmp_path: Path) -> None:
    """Where `whole` is off, a pool is there for ratios above 1 alone, which are no less than 1."""
    text = (
        "params: {whole: false, ratio: 2}\ninputs: {x: 'float[B, 8, 16]'}\n"
        "layers: {p: {op: max_pool1d, kernel_size: 1 if whole else ratio, when: whole or ratio > 1}}"
    )
    path = tmp_path / "net.yaml"
    path.write_text(f"name: Net\n{text}\n", encoding="utf-8")
    assert "ratio < 1" not in compile_spec(path).python
