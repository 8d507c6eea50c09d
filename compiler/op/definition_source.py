"""The source of a class or function of a plug-in, with all that it uses: what a generated file carries of it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping

_IMPORTED = frozenset(("torch", *sys.stdlib_module_names))
"""What a generated file may import."""


def definition_source(text: str, name: str) -> str:
    r"""A class or function of a file, with the file's other definitions and imports that it uses.

    Raises:
        ValueError: if the file does not define it, or it uses what a generated file may not import.

    >>> text = "import torch\nimport numpy\n\ndef twice(x):\n    return torch.add(x, x)\n\ndef no(x):\n    return x\n"
    >>> print(definition_source(text, "twice"))
    import torch
    def twice(x):
        return torch.add(x, x)
    """
    tree = ast.parse(text)
    defined = {one: node for node in tree.body for one in _defined(node)}
    if name not in defined:
        raise ValueError(f"the file does not define {name}")
    used: dict[str, None] = {}
    pending = [name]
    while pending:
        found = pending.pop()
        if found not in used:
            used[found] = None
            pending += _names(defined[found]) if found in defined else []
    imports = [line for node in tree.body for line in _imports(node, used, name)]
    wanted = [node for node in tree.body if not used.keys().isdisjoint(_defined(node))]
    return "\n".join([*imports, *(_text(text, node) for node in wanted)])


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else []
    targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id


def _names(node: ast.AST) -> list[str]:
    return [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]


def _imports(node: ast.stmt, used: Mapping[str, None], name: str) -> Iterator[str]:
    """The parts of an import that bring in what is used, a line each."""
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return
    whole = isinstance(node, ast.Import)
    for alias in node.names:
        bound = alias.asname or (alias.name.partition(".")[0] if whole else alias.name)
        if bound not in used:
            continue
        module = alias.name if isinstance(node, ast.Import) else node.module or ""
        if module.partition(".")[0] not in _IMPORTED:
            message = f"{name} uses {module}: generated code imports torch and the standard library alone"
            raise ValueError(message)
        asname = f" as {alias.asname}" if alias.asname else ""
        start = "" if whole else f"from {module} "
        yield f"{start}import {alias.name}{asname}"


def _text(text: str, node: ast.stmt) -> str:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(one.lineno for one in decorators)])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
