"""Files that ask for too much: every one gives an answer, in bounded time and memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.diagnostics.render import render
from compiler.diagnostics.source import Source
from tests.hostile import HEAD, diagnose

MIB = 2**20


def fc(argument: str, more: str = "") -> str:
    return f"{HEAD}layers:\n  fc: {{op: linear, out_features: {argument}{more}}}\n"


def many(line: str, count: int) -> str:
    """A line for each number, which stands for `#` and its successor for `@`."""
    return "".join(
        line.replace("#", str(k)).replace("@", str(k + 1)) + "\n" for k in range(count)
    )


def block(layers: str, call: str = "{op: Block}") -> str:
    return (
        f"{HEAD}layers:\n  a: {call}\nblocks:\n  Block:\n    params: {{n: 0}}\n"
        f"    inputs:\n      x: float[B, D]\n    layers:\n{layers}"
    )


def tower(levels: int) -> str:
    """Blocks in blocks, a thousand copies of each."""
    line = (
        "  B#:\n    inputs:\n      x: float[B, D]\n    layers:\n"
        "      a: {op: B@, repeat: 1000}"
    )
    last = (
        f"  B{levels}:\n    inputs:\n      x: float[B, D]\n    layers:\n      a: relu\n"
    )
    return f"{HEAD}layers:\n  a: B0\nblocks:\n{many(line, levels)}{last}"


TWICE = (
    "      a: {op: Block, n: 2 * n + 1, when: n < 1152921504606846976}\n"
    "      b: {op: Block, n: 2 * n + 2, when: n < 1152921504606846976}\n"
)
SIZES = "[" + "1, " * 39_000 + "1]"

REFUSED: dict[str, tuple[str, str]] = {
    # Depth.
    "parentheses": (fc("(" * 30_000), "bad-expression"),
    "minus signs": (fc("-" * 30_000 + "1"), "bad-expression"),
    "long sum": (fc("1 + " * 10_000 + "1"), "bad-expression"),
    "not not": (fc("8", ", when: " + "not " * 10_000 + "true"), "bad-expression"),
    "indices": (fc("'x" + "[0]" * 20_000 + "'"), "bad-expression"),
    "lists": ("name: " + "[" * 50_000, "too-deep"),
    "mappings": ("name: " + "{a: " * 50_000, "too-deep"),
    "groups": (
        HEAD + "layers: " + "{a: {layers: " * 40 + "{b: relu}" + "}}" * 40,
        "too-deep",
    ),
    # Numbers.
    "digits": (fc("9" * 60_000), "integer-too-large"),
    "digits in an expression": (fc("1 * " + "9" * 60_000), "bad-expression"),
    "float": (fc("9" * 60_000 + ".5"), "float-too-large"),
    "overflow": (fc("9223372036854775807 * 2"), "bad-expression"),
    "layers of an lstm": (
        HEAD + "layers:\n  a: {op: lstm, hidden_size: 3, num_layers: 1000000000}\n",
        "bad-value",
    ),
    "chunks": (
        HEAD + "layers:\n  a: {op: chunk, dim: 1, chunks: 1000000000}\n",
        "bad-value",
    ),
    # Copies and recursion.
    "repeat": (fc("8", ", repeat: 1000000000000"), "too-large"),
    "copies that differ": (fc("i + 1", ", repeat: 1000000"), "too-large"),
    "copies that grow": (
        HEAD + "layers:\n  a: {op: concat, dim: 1, in: [x, x], repeat: 1000000}\n",
        "too-large",
    ),
    "copies of a block that grow": (
        block(
            "      a: {op: linear, out_features: D + 1}\n",
            "{op: Block, repeat: 1000000}",
        ),
        "too-large",
    ),
    "dimensions that grow": (
        HEAD + "layers:\n  a: {op: unsqueeze, dim: 0, repeat: 1000000}\n",
        "constraint",
    ),
    "no end": (block("      a: {op: Block, n: n + 1}\n"), "recursion"),
    "two calls": (block(TWICE), "too-large"),
    "two calls and many layers": (
        block(TWICE + many("      l#: {op: linear, out_features: D}", 1_000)),
        "too-large",
    ),
    "sizes that double": (
        block(TWICE + "      c: {op: concat, dim: 1, in: [a, b]}\n"),
        "too-large",
    ),
    # Much of something.
    "values": (
        HEAD + f"layers:\n  a: {{op: add, in: [{'x, ' * 250_000}x]}}",
        "too-large",
    ),
    "layers": (HEAD + "layers:\n" + many("  l#: relu", 19_000), "too-large"),
    "inputs of a layer": (
        HEAD + f"layers:\n  a: {{op: add, in: [{'x, ' * 1_500}x]}}",
        "too-large",
    ),
    "layers of groups": (
        HEAD + "layers:\n" + many("  g#: {layers: {a: relu, b: relu}}", 1_400),
        "too-large",
    ),
    "text": (HEAD + f"description: {'x' * 600_000}\nlayers:\n  a: relu\n", "too-large"),
    "bytes": (HEAD + "# " + "x" * MIB, "too-large"),
    "dimensions": (
        f"name: Net\ninputs:\n  x: float[{'B, ' * 15_000}8]\nlayers:\n  a: relu\n",
        "bad-expression",
    ),
    "shape": (HEAD + f"layers:\n  a: {{op: reshape, shape: {SIZES}}}", "constraint"),
    "permutation": (
        HEAD + f"layers:\n  a: {{op: permute, dims: {SIZES}}}",
        "rank-mismatch",
    ),
    "equation": (
        HEAD
        + f"layers:\n  a: {{op: einsum, equation: '{'a' * 60_000}->b', in: [x, x]}}",
        "constraint",
    ),
    "pattern": (
        HEAD + f"layers:\n  a: {{op: rearrange, pattern: '{'(a ' * 20_000}'}}",
        "constraint",
    ),
    "unknown layers": (
        HEAD + "layers:\n" + many("  l#: {op: relu, in: lx#}", 2_400),
        "unknown-layer",
    ),
    "unknown ops": (
        HEAD + "layers:\n" + many("  l#: {op: lineer, out: 8}", 2_400),
        "unknown-op",
    ),
    "unknown names": (
        "name: Net\nparams:\n"
        + many("  p#: 1", 1_200)
        + "inputs:\n  x: float[B, 8]\nlayers:\n"
        + many("  l#: {op: linear, out_features: w#}", 1_200),
        "unknown-name",
    ),
    "bad names": (HEAD + "layers:\n" + many("  L-#: relu", 19_000), "bad-name"),
    "long cycle": (
        HEAD
        + "layers:\n"
        + many("  l#: {op: relu, in: l@}", 2_400)
        + "  l2400: {op: relu, in: l0}",
        "cycle",
    ),
    # Sizes that are hard to compare.
    "windows": (
        "name: Net\ninputs:\n  x: float[B, 3, H, W]\nlayers:\n"
        + many("  l#: {op: conv2d, out_channels: 3, kernel_size: 3, stride: 2}", 2_400),
        "size-too-small",
    ),
    "floors": (
        "name: Net\ninputs:\n"
        + many("  x#: float[B, H // @ + W // 11 + 1]", 1_200)
        + "layers:\n"
        + many("  l#: {op: add, in: [x#, x@]}", 1_199),
        "shape-mismatch",
    ),
    "products": (
        "name: Net\ninputs:\n  x: float["
        + ", ".join(f"S{k} + T{k}" for k in range(14))
        + "]\nlayers:\n  a: {op: flatten, start_dim: 0}\n",
        "too-large",
    ),
    # YAML.
    "anchors": (many("a#: &a# b", 50_000), "yaml-anchor"),
    "tags": (many("a#: !a# b", 50_000), "yaml-tag"),
    "directives": ("%A\n" * 300_000, "yaml-directive"),
    "question marks": ("? " * 500_000, "too-deep"),
    "dashes": ("- " * 500_000, "too-deep"),
    "documents": ("---\n" * 200_000, "several-documents"),
    "tabs": ("\t" * MIB, "tab-indentation"),
    "invisible": ("\u200b" * 300_000, "control-character"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    text, code = REFUSED[name]
    found = diagnose(text, tmp_path)
    assert code in {one.code for one in found}
    assert len(found) <= 101
    source = Source("spec.yaml", text[:MIB])
    shown = render(found, {one.span.file: source for one in found})
    assert len(shown) < 200_000


ADMITTED = {
    "groups in groups": HEAD
    + "layers: "
    + "{a: {layers: " * 28
    + "{b: relu}"
    + "}}" * 28,
    "a tower of copies": tower(30),
    "recursion that is known": block(
        "      a: {op: Block, n: n + 1, when: n < 60}\n"
        "      b: {op: Block, n: n + 1, when: n < 60}\n"
    ),
    "many copies": fc("8", ", repeat: 1000000"),
    "large sizes": fc("9223372036854775807"),
    "flat": HEAD + "layers:\n" + many("  l#: relu", 2_400),
    "backwards": HEAD
    + "layers:\n"
    + many("  l#: {op: relu, in: l@}", 2_400)
    + "  l2400: {op: relu, in: x}\n",
    "params": "name: Net\nparams:\n"
    + many("  p#: #", 2_400)
    + "inputs:\n  x: float[B, 8]\nlayers:\n  a: relu\n",
    "blocks": HEAD
    + "layers:\n  a: relu\nblocks:\n"
    + many("  B#: {inputs: {x: 'float[B, D]'}, layers: {a: relu}}", 1_200),
    "description": HEAD + f"description: {'x' * 60_000}\nlayers:\n  a: relu\n",
}


@pytest.mark.parametrize("name", ADMITTED)
def test_admitted(name: str, tmp_path: Path) -> None:
    assert all(one.severity == "warning" for one in diagnose(ADMITTED[name], tmp_path))


def test_too_many_problems(tmp_path: Path) -> None:
    found = diagnose(HEAD + "layers:\n" + many("  l#: reluu", 500), tmp_path)
    assert found[-1].code == "too-many-problems"
    assert found[-1].message == "400 more problems are not shown"
