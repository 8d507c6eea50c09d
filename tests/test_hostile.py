"""Files from a stranger: every one gives an answer, in bounded time and memory."""

from __future__ import annotations

import ast
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler import SpecError, compile_spec
from compiler.diagnostics import Diagnostic
from compiler.render import render
from compiler.source import Source

SECONDS = 20
"""For one file; the slowest takes a few on a machine that does nothing else."""
MEGABYTES = 1_000

HEAD = "name: Net\ninputs:\n  x: float[B, 8]\n"
MIB = 2**20


def diagnose(text: str, folder: Path) -> tuple[Diagnostic, ...]:
    """What is wrong with a spec; nothing where it compiles."""
    file = folder / "spec.yaml"
    file.write_text(text, encoding="utf-8")
    memory, start = _memory(), time.perf_counter()
    try:
        program = compile_spec(file)
    except SpecError as error:
        found = error.diagnostics
    else:
        ast.parse(program.python)
        found = ()
    assert time.perf_counter() - start < SECONDS
    assert _memory() - memory < MEGABYTES
    return found


def _memory() -> float:
    """The most memory that the process has had so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


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
SIZES = "[" + "1, " * 60_000 + "1]"

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
        HEAD + "layers:\n" + many("  l#: {op: relu, in: lx#}", 25_000),
        "unknown-layer",
    ),
    "unknown ops": (
        HEAD + "layers:\n" + many("  l#: {op: lineer, out: 8}", 25_000),
        "unknown-op",
    ),
    "unknown names": (
        "name: Net\nparams:\n"
        + many("  p#: 1", 10_000)
        + "inputs:\n  x: float[B, 8]\nlayers:\n"
        + many("  l#: {op: linear, out_features: w#}", 15_000),
        "unknown-name",
    ),
    "bad names": (HEAD + "layers:\n" + many("  L-#: relu", 60_000), "bad-name"),
    "long cycle": (
        HEAD
        + "layers:\n"
        + many("  l#: {op: relu, in: l@}", 25_000)
        + "  l25000: {op: relu, in: l0}",
        "cycle",
    ),
    # Sizes that are hard to compare.
    "windows": (
        "name: Net\ninputs:\n  x: float[B, 3, H, W]\nlayers:\n"
        + many(
            "  l#: {op: conv2d, out_channels: 3, kernel_size: 3, stride: 2}", 10_000
        ),
        "size-too-small",
    ),
    "floors": (
        "name: Net\ninputs:\n"
        + many("  x#: float[B, H // @ + W // 11 + 1]", 5_000)
        + "layers:\n"
        + many("  l#: {op: add, in: [x#, x@]}", 4_999),
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
    "flat": HEAD + "layers:\n" + many("  l#: relu", 10_000),
    "backwards": HEAD
    + "layers:\n"
    + many("  l#: {op: relu, in: l@}", 20_000)
    + "  l20000: {op: relu, in: x}\n",
    "params": "name: Net\nparams:\n"
    + many("  p#: #", 30_000)
    + "inputs:\n  x: float[B, 8]\nlayers:\n  a: relu\n",
    "blocks": HEAD
    + "layers:\n  a: relu\nblocks:\n"
    + many("  B#: {inputs: {x: 'float[B, D]'}, layers: {a: relu}}", 10_000),
    "description": HEAD + f"description: {'x' * 60_000}\nlayers:\n  a: relu\n",
}


@pytest.mark.parametrize("name", ADMITTED)
def test_admitted(name: str, tmp_path: Path) -> None:
    assert all(one.severity == "warning" for one in diagnose(ADMITTED[name], tmp_path))


def test_too_many_problems(tmp_path: Path) -> None:
    found = diagnose(HEAD + "layers:\n" + many("  l#: reluu", 500), tmp_path)
    assert found[-1].code == "too-many-problems"
    assert found[-1].message == "400 more problems are not shown"


NAMES = (
    *("self", "cls", "super", "torch", "nn", "F", "init", "math", "Tensor", "Module"),
    *("class", "lambda", "None", "True", "match", "case", "type", "print", "len", "i"),
    *("forward", "training", "parameters", "state_dict", "reset_parameters", "step"),
    *("__init__", "__class__", "__all__", "_", "os", "sys", "eval", "exec", "import"),
    *("{0}", "{x.__class__}", "%s", "$x", "<b>x</b>", "&amp;", "</svg>", "a\nb"),
    *("../x", "a/b", "a.b", "a;b", "a:b", "'a", '"a', "a\\", "é", "名", "Net", "net"),
    *("x", "B", "T", "float", "int", "range", "Block", "Sequence", "annotations", "f"),
)
SPECS: dict[str, str] = {
    "layer": "layers: {NAME: {op: linear, out_features: 4}, z: relu}",
    "input": 'inputs: {NAME: "float[B, 8]"}\nlayers: {l: {op: linear, out_features: 4}}',
    "param": "params: {NAME: 5}\nlayers: {l: {op: linear, out_features: NAME}}",
    "block": "layers: {l: {op: NAME}}\nblocks: {NAME: {inputs: {y: 'float[B, D]'},"
    " layers: {a: {op: linear, out_features: 4}, b: layer_norm}}}",
    "group": "layers: {NAME: {layers: {a: {op: linear, out_features: 4}, b: relu}}}",
    "output": "layers: {l: relu, z: gelu}\noutputs: {NAME: z, other: l}",
    "block param": "layers: {l: {op: Blk, NAME: 3}}\nblocks: {Blk: {params: {NAME: int},"
    " inputs: {y: 'float[B, D]'}, layers: {a: {op: linear, out_features: NAME}}}}",
    "block input": "layers: {l: {op: Blk, in: {NAME: x}}}\nblocks: {Blk: {inputs:"
    " {NAME: 'float[B, D]'}, layers: {a: relu, m: {op: add, in: [a, NAME]}}}}",
    "text": "description: NAME\nreference: NAME\nlayers: {l: {op: relu, description: NAME}}",
    "source": "layers: {l: {op: relu, in: NAME}}",
    "argument": "layers: {l: {op: linear, out_features: NAME, NAME: 3}}",
    "import": "import: {Blk: NAME}\nlayers: {l: Blk}",
}


@pytest.mark.parametrize("place", SPECS)
def test_names(place: str, tmp_path: Path) -> None:
    """A name either is refused, or is nothing but a name in what comes out."""
    head = (
        "name: Net\n" if place == "input" else 'name: Net\ninputs: {x: "float[B, 8]"}\n'
    )
    for name in NAMES:
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        text = (head + SPECS[place]).replace("NAME", quoted.replace("\n", "\\n"))
        for one in diagnose(text, tmp_path):
            assert "\n" not in str(one)


def test_the_networks_name(tmp_path: Path) -> None:
    for name in NAMES:
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        quoted = quoted.replace("\n", "\\n")
        diagnose(HEAD.replace("Net", quoted) + "layers:\n  a: relu\n", tmp_path)


LIBRARY = (
    "name: Lib\nblocks:\n  Block:\n    inputs:\n      x: float[B, D]\n"
    "    layers:\n      a: relu\n"
)


def _absolute(outside: Path, inside: Path) -> str:
    return str(outside / "lib.yaml")


def _above(outside: Path, inside: Path) -> str:
    return "../outside/lib.yaml"


def _through(outside: Path, inside: Path) -> str:
    return "sub/../../outside/lib.yaml"


def _link(outside: Path, inside: Path) -> str:
    (inside / "link.yaml").symlink_to(outside / "lib.yaml")
    return "link.yaml"


def _linked_folder(outside: Path, inside: Path) -> str:
    (inside / "folder").symlink_to(outside)
    return "folder/lib.yaml"


def _network(outside: Path, inside: Path) -> str:
    return "file:///etc/passwd"


def _backslash(outside: Path, inside: Path) -> str:
    return "..\\\\outside\\\\lib.yaml"


@pytest.mark.parametrize(
    "path",
    [_absolute, _above, _through, _link, _linked_folder, _network, _backslash],
)
def test_imports_from_outside(
    path: Callable[[Path, Path], str], tmp_path: Path
) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    for folder in (outside, inside, inside / "sub"):
        folder.mkdir()
    (outside / "lib.yaml").write_text(LIBRARY, encoding="utf-8")
    text = f'import: {{Block: "{path(outside, inside)}"}}\n{HEAD}layers:\n  a: Block\n'
    (found,) = diagnose(text, inside)
    assert found.code == "import-outside"
    assert (found.span.line, found.span.column) == (1, 17)


def test_an_import_of_no_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    text = f'import: {{Block: "sub"}}\n{HEAD}layers:\n  a: Block\n'
    assert [one.code for one in diagnose(text, tmp_path)] == ["import-not-found"]


def test_a_link_inside_is_fine(tmp_path: Path) -> None:
    (tmp_path / "lib.yaml").write_text(LIBRARY, encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "lib.yaml")
    text = f"import: {{Block: link.yaml}}\n{HEAD}layers:\n  a: Block\n"
    assert diagnose(text, tmp_path) == ()


def test_messages_hold_no_control_characters(tmp_path: Path) -> None:
    text = HEAD + 'layers:\n  a: {op: "re\\x1b[2Jlu"}\n'
    assert all(str(one).isprintable() for one in diagnose(text, tmp_path))
