"""Warnings of layers and blocks that nothing uses, and of params that nothing mentions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from compiler.diagnostics.diagnostic import Report
from compiler.ir.graph import Node, Scope, Unit
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)
from compiler.parse.path_error import Path

_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_TEXTS = {"description", "reference", "choices"}
_ELSEWHERE = {"blocks", "extends", "import", "variants"}
"""Parts of a file that do not see its params."""


def warn_of_unused(
    unit: Unit,
    networks: Mapping[str, Scope],
    blocks: Mapping[str, Scope],
    report: Report,
) -> None:
    """Warn of all that has no effect: on the networks, or in a file of blocks alone on these."""
    starts = list(networks.values()) or [blocks[name] for name in unit.spec.blocks]
    found = reached(starts)
    for scope in found:
        for node in unused_layers(scope, scope.outputs):
            message = f"nothing uses the output of {node.name}"
            _warn(node.place.document, "unused-layer", node.place.path, message, report)
    named = _named(unit, found)
    for name in unit.spec.blocks if networks else ():
        if blocks[name] not in found and name not in named:
            message = f"nothing uses {name}"
            _warn(unit.document, "unused-block", ("blocks", name), message, report)
    _warn_of_params(unit.document, report)


def reached(starts: Iterable[Scope]) -> dict[Scope, None]:
    """The scopes that others are made of, with these."""
    found: dict[Scope, None] = {}
    pending = list(starts)
    while pending:
        scope = pending.pop()
        if scope not in found:
            found[scope] = None
            targets = (node.target for node in scope.each_node())
            pending.extend(one for one in targets if isinstance(one, Scope))
    return found


def unused_layers(scope: Scope, outputs: Collection[str]) -> list[Node]:
    """The layers that none of these outputs depends on."""
    layers = list(scope.nodes.values())
    used = {ref.node for name, ref in scope.outputs.items() if name in outputs}
    for node in reversed(layers):
        if node.name in used:
            used.update(ref.node for _, ref in node.refs())
    return [node for node in layers if node.name not in used]


def _named(unit: Unit, reached: Iterable[Scope]) -> set[str]:
    """What arguments, defaults, choices and variants say: a param of type `op` may name a block so."""
    found: set[str] = set()
    for scope in reached:
        for node in scope.each_node():
            found.update(map(str, node.arguments.values()))
        for param in scope.params.values():
            values = (param.default, *(param.choices or ()))
            found.update(one for one in values if isinstance(one, str))
    for given in unit.spec.variants.values():
        found.update(map(str, given.values()))
    return found


def _warn_of_params(document: Document, report: Report) -> None:
    """Warn of every param, of the file or of a block, that no value in its scope mentions."""
    blocks = document.root.get("blocks")
    for name in _unused_params(document.root):
        message = f"nothing uses the param {name}"
        _warn(document, "unused-param", ("params", name), message, report)
    for block, value in blocks.entries if isinstance(blocks, MappingNode) else ():
        for name in _unused_params(value) if isinstance(value, MappingNode) else ():
            path = ("blocks", block.text, "params", name)
            message = f"nothing uses the param {name}"
            _warn(document, "unused-param", path, message, report)


def _warn(
    document: Document, code: str, path: Path, message: str, report: Report
) -> None:
    """Warn of what is declared at a path; of a spec that extends another, with the entry that may be meant."""
    span = document.locate(path, key=True)
    help = ""
    if document.bases and len(path) == 2:
        section, name = map(str, path)
        help = f"write {section}: {{{name}: null}} to drop it"
        if span.file not in document.bases:
            help = report.like(name, _of_bases(document, section))
    report.warning(code, span, message, help=help)


def _of_bases(document: Document, section: str) -> list[str]:
    """The names of a section that are as a base has them."""
    node = document.root.get(section)
    entries = node.entries if isinstance(node, MappingNode) else ()
    return [key.text for key, _ in entries if key.span.file in document.bases]


def _unused_params(scope: MappingNode) -> list[str]:
    """The params of a file, or of a block, that no value in it mentions."""
    params = scope.get("params")
    if not isinstance(params, MappingNode):
        return []
    unused = dict.fromkeys(key.text for key, _ in params.entries)
    for text in _texts(scope):
        if not unused:
            break
        for word in _WORD.findall(text):
            unused.pop(word, None)
    return list(unused)


def _texts(scope: MappingNode) -> Iterator[str]:
    """The texts of a scope that can hold an expression."""
    pending: list[YamlNode] = [
        value for key, value in scope.entries if key.text not in _ELSEWHERE
    ]
    while pending:
        node = pending.pop()
        if isinstance(node, ScalarNode):
            if isinstance(node.value, str):
                yield node.value
        elif isinstance(node, SequenceNode):
            pending.extend(node.items)
        else:
            pending.extend(v for key, v in node.entries if key.text not in _TEXTS)
