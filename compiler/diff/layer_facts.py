"""What is said of a layer, as text by name: two layers are alike where all of it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.infer.param_values import shown
from compiler.ir.graph import Node, OpParam, Ref, Scope
from compiler.ir.typed import Instance
from compiler.language.layers import Layer
from compiler.op.arg_types import Formula

Facts = Mapping[str, str]


def layer_facts(node: Node, instance: Instance | None) -> Facts:
    """A layer: what it runs, on what, how often; and its types where it was inferred."""
    facts = {"op": target_name(node), "in": _inputs(node)}
    facts |= {key: _text(value) for key, value in node.layer.arguments.items()}
    facts |= dict(_running(node.layer))
    typed = instance.nodes.get(node.name) if instance is not None else None
    if typed is not None:
        facts["type"] = ", ".join(map(str, typed.outputs.values()))
    return {key: value for key, value in facts.items() if value}


def target_name(node: Node) -> str:
    """The op or block that a layer runs, as a spec names it."""
    target = node.target
    if isinstance(target, OpParam):
        return f"${target.param}"
    if isinstance(target, Scope):
        return "group" if target.kind == "group" else target.name
    return target.name


def _running(layer: Layer) -> Iterator[tuple[str, str]]:
    if layer.repeat is not None:
        share = ", shared" if layer.repeat.share else ""
        yield "repeat", f"{_text(layer.repeat.count)}{share}"
        yield from ((f"stack.{name}", of) for name, of in layer.repeat.stack.items())
    yield "scan", "" if layer.scan is None else _text(layer.scan)
    yield "reverse", "true" if layer.reverse else ""
    yield "when", "" if layer.when is None else _text(layer.when)
    yield "share", layer.share or ""
    for name, start in (layer.carry or {}).items():
        yield f"carry.{name}", start
    if layer.tie is not None:
        yield from ((f"tie.{name}", path) for name, path in layer.tie.tensors.items())
        yield "tie.when", "" if layer.tie.when is None else _text(layer.tie.when)
    if layer.parametrize is not None:
        wrap = layer.parametrize
        given = ", ".join(f"{key}={value}" for key, value in wrap.arguments)
        yield f"parametrize.{wrap.tensor}", f"{wrap.kind}({given})"
    for name, init in (layer.init or {}).items():
        given = ", ".join(f"{key}={value}" for key, value in init.arguments)
        yield f"init.{name}", f"{init.name}({given})"


def _inputs(node: Node) -> str:
    refs = [ref for given in node.inputs.values() for ref in _several(given)]
    return ", ".join(map(str, refs))


def _several(given: Ref | tuple[Ref, ...]) -> tuple[Ref, ...]:
    return given if isinstance(given, tuple) else (given,)


def _text(value: Any) -> str:
    if isinstance(value, Formula):
        return value.text
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return (
            f"{{{', '.join(f'{key}: {_text(item)}' for key, item in value.items())}}}"
        )
    return "null" if value is None else shown(value)
