"""Half-written text: what can be read of it, each node where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.diagnostics.limits import Limits
from compiler.diagnostics.source import Source
from compiler.parse.document import to_data
from compiler.parse.parse import parse
from compiler.parse.recover import recover

HEAD = "name: Net\nlayers:\n  a: {op: linear, out_features: 3}\n"
TAIL = "  z: relu\noutputs: {y: z}\n"


def read(text: str) -> object:
    return to_data(recover(Source("a.yaml", text), Limits()).root)


def test_a_text_that_is_right_is_read_as_it_is() -> None:
    for file in sorted(Path("specs").glob("*.yaml")):
        source = Source(str(file), file.read_text(encoding="utf-8"))
        assert recover(source, Limits()) == parse(source)


@pytest.mark.parametrize(
    ("half", "there"),
    [
        ("  b: {op: linear, out_features: 3\n", {"op": "linear", "out_features": 3}),
        ("  b: {op: linear, out\n", {"op": "linear", "out": None}),
        ("  b: {op: add, in: [a, c\n", {"op": "add", "in": ["a", "c"]}),
        ("  b: {op: add, in: [a, c}\n", {"op": "add", "in": ["a", "c"]}),
        ('  b: {op: linear, description: "half\n', {"op": "linear", "description": "half"}),
        ("  b: {op: linear, # why\n", {"op": "linear"}),
        ("  b\n", None),
        ("  b:\n", None),
        ("  b: linear}\n", "linear}"),
        ("\t\tb: linear\n", "linear"),
        ("  b: &x linear\n", "linear"),
        ("  b: linear\n  b: relu\n", "linear"),
    ],
)  # fmt: skip
def test_what_is_around_is_read(half: str, there: object) -> None:
    found = read(HEAD + half + TAIL)
    assert isinstance(found, dict)
    layers = found["layers"]
    assert layers["a"] == {"op": "linear", "out_features": 3}
    assert layers["z"] == "relu"
    assert found["outputs"] == {"y": "z"}
    value = layers["b"]
    if half.startswith("  b: &x"):
        value = str(value).split()[-1]
    assert value == there


@pytest.mark.parametrize("half", ["  b: {op: [", "  b: 'x", "  b", "\tb: {", "  - b"])
def test_places_are_those_of_the_text(half: str) -> None:
    source = Source("a.yaml", f"{HEAD}{half}\n{TAIL}")
    document = recover(source, Limits())
    assert document.locate(("layers", "z"), key=True).line == 5
    assert document.locate(("outputs", "y")) == parse(
        Source("a.yaml", f"{HEAD}  b: 1\n{TAIL}")
    ).locate(("outputs", "y"))
