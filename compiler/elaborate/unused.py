"""Params that nothing mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compiler.diagnostics.diagnostic import Report
from compiler.parse.document import Document, Mapping, Node, Scalar, Sequence

_WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_TEXTS = {"description", "reference", "choices"}
_ELSEWHERE = {"blocks", "import", "variants"}
"""Parts of a file that do not see its params."""


def warn_of_unused_params(document: Document, report: Report) -> None:
    """Warn of every param, of the file or of a block, that no value in its scope mentions."""
    blocks = document.root.get("blocks")
    _warn(document.root, report)
    for _, block in blocks.entries if isinstance(blocks, Mapping) else ():
        if isinstance(block, Mapping):
            _warn(block, report)


def _warn(scope: Mapping, report: Report) -> None:
    params = scope.get("params")
    if not isinstance(params, Mapping):
        return
    unused = {key.text: key for key, _ in params.entries}
    for text in _texts(scope):
        if not unused:
            return
        for word in _WORD.findall(text):
            unused.pop(word, None)
    for name, key in unused.items():
        report.warning("unused-param", key.span, f"nothing uses the param {name}")


def _texts(scope: Mapping) -> Iterator[str]:
    """The texts of a scope that can hold an expression."""
    pending: list[Node] = [
        value for key, value in scope.entries if key.text not in _ELSEWHERE
    ]
    while pending:
        node = pending.pop()
        if isinstance(node, Scalar):
            if isinstance(node.value, str):
                yield node.value
        elif isinstance(node, Sequence):
            pending.extend(node.items)
        else:
            pending.extend(v for key, v in node.entries if key.text not in _TEXTS)
