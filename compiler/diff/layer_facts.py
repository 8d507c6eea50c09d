"""What is said of a layer, as text by name: two layers are alike where all of it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.infer.param_values import shown
from compiler.ir.graph import Alternatives, Node, OpParam, Ref, Scope
from compiler.ir.typed import Instance
from compiler.language.initializers import Initializer
from compiler.language.layers import Repeat, Tie
from compiler.language.parametrizations import Parametrization
from compiler.op.arg_types import Formula

Facts = Mapping[str, str]

_ELSEWHERE = ("op", "input", "layers", "choose", "outputs", "description")
"""Keys whose values are resolved, are scopes of their own, or do nothing."""


def layer_facts(node: Node, instance: Instance | None) -> Facts:
    """A layer: what it runs, on what, how often; and its types where it was inferred."""
    facts = {"op": target_name(node), "in": _inputs(node)}
    facts |= {key: _text(value) for key, value in node.layer.arguments.items()}
    for name, key in node.layer.keys.items():
        facts |= {} if name in _ELSEWHERE else dict(_key(name, key))
    if node.may_be_absent:
        facts["otherwise"] = "null"
    if isinstance(node.target, Alternatives):
        facts |= dict(_alternatives(node.target))
    typed = instance.nodes.get(node.name) if instance is not None else None
    if typed is not None:
        facts["type"] = ", ".join(map(str, typed.outputs.values()))
    return {key: value for key, value in facts.items() if value}


def target_name(node: Node) -> str:
    """The op or block that a layer runs, as a spec names it."""
    target = node.target
    if isinstance(target, Alternatives):
        return " or ".join(map(target_name, target.nodes))
    if isinstance(target, OpParam):
        return f"${target.param}"
    if isinstance(target, Scope):
        return "group" if target.kind == "group" else target.name
    return target.name


def _alternatives(choice: Alternatives) -> Iterator[tuple[str, str]]:
    """What each alternative of a layer says, by its number."""
    pairs = zip(choice.conditions, choice.nodes, strict=True)
    for number, (when, node) in enumerate(pairs):
        if when is not None:
            yield f"choose.{number}.when", _text(when)
        for key, text in layer_facts(node, None).items():
            yield f"choose.{number}.{key}", text


def _key(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """What a key says: one text, or one for each name that it is about."""
    match value:
        case Repeat():
            yield name, f"{_text(value.count)}{', shared' if value.share else ''}"
            yield from ((f"stack.{key}", of) for key, of in value.stack.items())
            of_all = ((f"collect.{k}", of or "all") for k, of in value.collect.items())
            yield from of_all
            yield f"{name}.at", "" if value.at is None else _text(value.at)
            yield f"{name}.chain", "" if value.chain else "false"
            yield f"{name}.reverse", "true" if value.reverse else ""
            yield f"{name}.routed", "true" if value.routed else ""
        case Tie():
            yield from ((f"{name}.{key}", path) for key, path in value.tensors.items())
            yield f"{name}.when", "" if value.when is None else _text(value.when)
        case Parametrization():
            yield f"{name}.{value.tensor}", _called(value.name, value.options)
        case Initializer():
            yield name, _called(value.name, value.given)
        case dict():
            for key, item in value.items():
                yield from _key(f"{name}.{key}", item)
        case _:
            yield name, _text(value)


def _called(name: str, arguments: Mapping[str, Any]) -> str:
    given = ", ".join(f"{key}={_text(value)}" for key, value in arguments.items())
    return f"{name}({given})"


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
