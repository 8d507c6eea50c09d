"""A graph as text: every scope with its layers, bound to what they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from compiler.expr.syntax import unparse
from compiler.ir.columns import as_text, entries, section, written
from compiler.ir.graph import (
    Alternatives,
    Carry,
    Graph,
    Node,
    OpParam,
    Place,
    Ref,
    Scope,
)
from compiler.language.params import Param
from compiler.op.arg_types import Formula
from compiler.op.op import Op

_SHOWN = {"op", "layers", "choose", "input", "carry", "outputs"}
"""Keys of a layer that are shown in a form of their own."""


def print_graph(graph: Graph) -> str:
    """Networks, then the blocks of all files, each followed by the groups in it."""
    lines = [f"graph {graph.spec.name}"]
    names = ((one.source.file, *one.bases) for one in graph.files)
    lines += (f"file {', which extends '.join(files)}" for files in names)
    for scope in graph.networks.values():
        lines += _scope(scope)
    for file, blocks in graph.named.items():
        for name, scope in blocks.items():
            if scope.place.document.source.file == file:
                lines += _scope(scope)
            else:
                lines += ("", f"block {name} in {file} is {_at(scope.place)}")
    lines += ("", *map(str, graph.warnings)) if graph.warnings else ()
    return as_text(lines)


def _scope(scope: Scope, path: str = "") -> Iterator[str]:
    name = path or scope.name
    yield ""
    yield f"{scope.kind} {name}  at {_at(scope.place)}"
    yield from [f"  {scope.description}"] if scope.description else ()
    params = ((key, _param(param)) for key, param in scope.params.items())
    yield from section("params", params)
    inputs = scope.inputs.items()
    yield from section("inputs", ((port, str(kind or "any")) for port, kind in inputs))
    yield from section("layers", map(_layer, scope.nodes.values()))
    outputs = scope.outputs.items()
    optional = scope.optional
    named = ((port, f"= {ref}{'?' * (port in optional)}") for port, ref in outputs)
    yield from section("outputs", named)
    for node in scope.each_node():
        inside = node.target
        if isinstance(inside, Scope) and inside.kind == "group" and not node.shared:
            yield from _scope(inside, f"{name}.{node.name}")


def _param(param: Param) -> str:
    kind = param.kind or "by its default"
    default = "" if param.required else f" = {written(param.default)}"
    bounds = {"min": param.min, "max": param.max, "choices": param.choices}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    return f"{kind}{default}{', ' if given else ''}{entries(given, ': ')}"


def _layer(node: Node) -> tuple[str, str, str]:
    if isinstance(node.target, Alternatives):
        pairs = zip(node.target.conditions, node.target.nodes, strict=True)
        texts = (f"{_called(one)}{_condition(when)}" for when, one in pairs)
        call = f"= {' else '.join(texts)}"
    else:
        call = f"= {_called(node)}"
    keys = _keys(node)
    return (
        _here(node.place),
        node.name,
        f"{call}  {keys}" if keys else call,
    )


def _here(place: Place) -> str:
    """The line and column of a layer, with the file where that is a base of the document."""
    span = place.span(key=True)
    own = span.file == place.document.source.file
    return f"{span.line}:{span.column}" if own else span.at


def _called(node: Node) -> str:
    return f"{target_name(node.target)}({_given(node)})"


def _condition(when: Formula | bool | None) -> str:
    return "" if when is None else f" if {written(when)}"


def target_name(target: type[Op] | Scope | OpParam | Alternatives) -> str:
    """The name of an op or a scope; `$norm` for a param."""
    if isinstance(target, Alternatives):
        return " | ".join(target_name(one.target) for one in target.nodes)
    if isinstance(target, OpParam):
        return f"${target.param}"
    group = isinstance(target, Scope) and target.kind == "group"
    return f"group {target.name}" if group else target.name


def _given(node: Node) -> str:
    """Inputs by port, then arguments."""
    values = entries(node.arguments)
    return "; ".join(part for part in (refs_text(node.inputs), values) if part)


def refs_text(refs: Mapping[str, Ref | tuple[Ref, ...]]) -> str:
    """`query=qkv.0, key=qkv.1`; the inputs of a variadic port in a list."""
    return ", ".join(f"{port}={_ref(ref)}" for port, ref in refs.items())


def _ref(ref: Ref | tuple[Ref, ...]) -> str:
    return f"[{', '.join(map(str, ref))}]" if isinstance(ref, tuple) else str(ref)


def _keys(node: Node) -> str:
    found = {key: one for key, one in node.layer.keys.items() if key not in _SHOWN}
    found |= {"otherwise": None} if node.may_be_absent else {}
    states = {name: _start(one) for name, one in node.carry.items()}
    shared = {"share": node.shared} if node.shared else {}
    return entries({**found, **shared, **({"carry": states} if states else {})}, ": ")


def _start(carry: Carry) -> str:
    if carry.ref is not None:
        return str(carry.ref)
    return f"{carry.fill}[{', '.join(map(unparse, carry.shape))}]"


def _at(place: Place) -> str:
    return place.span(key=True).at
