"""Names, texts and paths from a stranger: they name things, and do nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hostile import HEAD, diagnose

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
