"""Nodes, and the positions at their paths."""

from __future__ import annotations

import pytest

from compiler.diagnostics.source import Source
from compiler.parse.document import Document, MappingNode, ScalarNode, to_data
from compiler.parse.parse import parse

TEXT = """\
name: Net
layers:
  conv: {op: conv2d, kernel_size: [3, 5]}
  relu: relu
"""


@pytest.fixture
def document() -> Document:
    return parse(Source("a.yaml", TEXT))


@pytest.mark.parametrize(
    ("path", "key", "at"),
    [
        ((), False, "1:1"),
        (("name",), False, "1:7"),
        (("name",), True, "1:1"),
        (("layers", "conv", "kernel_size"), True, "3:22"),
        (("layers", "conv", "kernel_size", 1), False, "3:39"),
        (("layers", "conv", "kernel_size", 1), True, "3:39"),
        (("layers", "conv", "kernel_size", 9), False, "3:35"),
        (("layers", "conv", "stride"), False, "3:9"),
        (("layers", "conv", "stride"), True, "3:3"),
        (("layers", "relu", "deep", 0, "er"), False, "4:9"),
        (("layers", 0), False, "3:3"),
        (("blocks", "Block"), False, "1:1"),
    ],
)
def test_locate(
    document: Document, path: tuple[str | int, ...], key: bool, at: str
) -> None:
    assert document.locate(path, key).at == f"a.yaml:{at}"


def test_to_data_keeps_the_order(document: Document) -> None:
    value = to_data(document.root)
    conv = {"op": "conv2d", "kernel_size": [3, 5]}
    assert value == {"name": "Net", "layers": {"conv": conv, "relu": "relu"}}
    assert list(value["layers"]) == ["conv", "relu"]


@pytest.mark.parametrize("count", [3, 50])
def test_mapping_finds_its_entries(count: int) -> None:
    text = "".join(f"k{i}: {i}\n" for i in range(count))
    root = parse(Source("a.yaml", text)).root
    last = root.get(f"k{count - 1}")
    assert isinstance(last, ScalarNode) and last.value == count - 1
    key = root.key("k1")
    assert key is not None and key.span.at == "a.yaml:2:1"
    assert root.get("none") is None and root.key("none") is None
    assert root == parse(Source("a.yaml", text)).root  # looked up or not


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 4 * D", (1, 8, 1, 9)),
        ("a: '4 * D'", (1, 9, 1, 10)),
        ('a: "4\\x20* D"', (1, 4, 1, 14)),  # an escape: offsets do not align
        ("a: 4 *\n  D", (1, 4, 2, 4)),
        ("a: >-\n  4 * D", (1, 4, 2, 8)),
    ],
)
def test_part_of_a_scalar(text: str, expected: tuple[int, ...]) -> None:
    value = parse(Source("a.yaml", text)).root.get("a")
    assert isinstance(value, ScalarNode) and value.text == "4 * D"
    span = value.part(4, 5)
    assert (span.line, span.column, span.end_line, span.end_column) == expected


def test_nodes_are_values(document: Document) -> None:
    assert isinstance(document.root, MappingNode)
    assert document == parse(Source("a.yaml", TEXT))
