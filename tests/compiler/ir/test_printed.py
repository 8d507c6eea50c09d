"""The printed forms of the stages: read in full for small specs, and complete for all.

`pytest tests/compiler/ir/test_printed.py --update` writes the texts in `printed` anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiler.ir.graph import Graph
from compiler.ir.module import definitions
from compiler.ir.print_graph import print_graph
from compiler.ir.print_typed import print_typed
from compiler.ir.typed import TypedGraph, walk_instances
from compiler.lower.lower import module_ir, proven
from compiler.lower.print_module_ir import print_module_ir
from compiler.parse.document import Document
from compiler.parse.print_document import print_document
from compiler.pipeline import Request, compile_to

PRINTED = Path(__file__).parent / "printed"
SMALL = ["scan2", "tie_when"]
SPECS = sorted(Path("specs").glob("*.yaml"))


def printed(spec: Path, stage: str) -> str:
    request = Request(spec)
    match stage:
        case "document":
            return print_document(compile_to(Document, request))
        case "graph":
            return print_graph(compile_to(Graph, request))
        case "module":
            return module_ir(compile_to(TypedGraph, request))
        case _:
            return print_typed(compile_to(TypedGraph, request))


@pytest.mark.parametrize("stage", ["document", "graph", "typed"])
@pytest.mark.parametrize("name", SMALL)
def test_text_is_the_one_that_was_read(
    name: str, stage: str, pytestconfig: pytest.Config
) -> None:
    text = printed(Path(f"tests/features/{name}.yaml"), stage)
    expected = PRINTED / f"{name}.{stage}.txt"
    if pytestconfig.getoption("update"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "spec",
    [
        Path("tests/features/stacked.yaml"),
        Path("tests/features/scan2.yaml"),
        Path("tests/faults/when_off_experts.yaml"),
    ],
    ids=lambda path: path.stem,
)
def test_module_is_the_one_that_was_read(
    spec: Path, pytestconfig: pytest.Config
) -> None:
    text = printed(spec, "module")
    expected = PRINTED / f"{spec.stem}.module.txt"
    if pytestconfig.getoption("update"):
        expected.write_text(text, encoding="utf-8")
    assert text == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", SPECS[::8], ids=lambda path: path.stem)
def test_module_has_every_member_and_value_of_every_class(spec: Path) -> None:
    typed = compile_to(TypedGraph, Request(spec))
    classes, constructors = proven(typed)
    text = print_module_ir("Net", classes, constructors)
    _, *parts = text.split("\nclass ")
    assert len(parts) == len(classes)
    for ir, part in zip(reversed(classes), parts, strict=True):
        assert part.startswith(f"{ir.plan.name}  {ir.plan.scope.kind} ")
        lines = [line.strip() for line in part.splitlines()]
        for held in ir.held:
            name = held.typed.node.name
            assert any(line.split()[:2] == [name, "="] for line in lines), name
        values = [value for _, value in ir.body.inputs]
        values += [one for part in ir.body.statements for one in definitions(part)]
        words = set(re.findall(r"\bv\d+\b", part))
        assert words == {f"v{value.number}" for value in values}
        for port in ir.plan.scope.inputs:
            assert re.search(rf"\bv\d+ {port}: ", part)


@pytest.mark.parametrize("spec", SPECS[::8], ids=lambda path: path.stem)
def test_graph_has_every_layer_of_every_scope(spec: Path) -> None:
    graph = compile_to(Graph, Request(spec))
    text = print_graph(graph)
    for scope in (*graph.networks.values(), *graph.blocks.values()):
        assert f"\n{scope.kind} {scope.name}  at " in text
        for name, node in scope.nodes.items():
            span = node.place.span(key=True)
            row = f"{span.line}:{span.column}"
            rows = (
                [row, name],
                [f"{span.file}:{row}", name],
            )  # of a base, with its file
            assert any(line.split()[:2] in rows for line in text.splitlines())


@pytest.mark.parametrize("spec", SPECS[::8], ids=lambda path: path.stem)
def test_typed_graph_has_every_instance_once_and_is_the_same_twice(spec: Path) -> None:
    typed = compile_to(TypedGraph, Request(spec))
    text = print_typed(typed)
    assert text == printed(spec, "typed")
    heads = [line for line in text.splitlines() if line.startswith("#")]
    roots = typed.roots
    assert len(heads) == len({line.split()[0] for line in heads})
    assert len(heads) >= len(list(walk_instances(roots)))
    for instance in walk_instances(roots):
        head = f" {instance.scope.kind} {instance.scope.name}  at "
        assert any(head in line for line in heads)


def test_op_that_a_param_says(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    spec.write_text(
        "name: Net\n"
        "params: {act: {type: op, default: relu}, size: {type: int, min: 1, default: 4}}\n"
        'inputs: {x: "float[B, size]"}\n'
        "layers: {a: {op: $act}, b: {op: linear, out_features: 2 * size, repeat: 2}}\n"
    )
    graph, typed = printed(spec, "graph"), printed(spec, "typed")
    assert "    act   op = relu\n    size  int = 4, min: 1\n" in graph
    assert "a  = $act(0=x)\n" in graph
    assert "b  = linear(input=a; out_features=2 * size)  repeat: 2\n" in graph
    assert "    a = relu(input=x)\n" in typed
    assert "copy 0: runs linear(out_features=2 * size, bias=true)" in typed


def test_texts_of_a_stranger_are_safe_to_show(tmp_path: Path) -> None:
    spec = tmp_path / "net.yaml"
    text = (
        'name: Net\ndescription: "a\u00a0b"\ninputs: {x: "float[B]"}\nlayers: [relu]\n'
    )
    spec.write_text(text, encoding="utf-8")
    for stage in ("document", "graph"):
        assert "a\\xa0b" in printed(spec, stage)
