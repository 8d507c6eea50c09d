"""The source of library modules, to be carried by a generated file: read as text, never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache

from compiler.codegen.statements import Import, Verbatim
from compiler.dataclass import dataclass
from compiler.op.library_sources import PACKAGE, in_order, tree_of


@dataclass(frozen=True)
class Library:
    """The definitions of library files, and what they import."""

    imports: tuple[Import, ...] = ()
    code: tuple[Verbatim, ...] = ()


def library_code(names: Iterable[str]) -> Library:
    """The library files of these names and those that they stand on, each once, in an order that works."""
    parts = [_file(name) for name in in_order(names)]
    imports = tuple(item for part in parts for item in part.imports)
    return Library(imports, tuple(code for part in parts for code in part.code))


def _file(name: str) -> Library:
    return _definitions(*tree_of(name))


@cache
def _definitions(text: str, tree: ast.Module) -> Library:
    lines = text.splitlines()
    imports: list[Import] = []
    code: list[Verbatim] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            if node.module != "__future__" and not (node.module or "").startswith(
                PACKAGE
            ):
                imports.append(
                    Import(node.module or "", tuple(map(_alias, node.names)))
                )
        elif isinstance(node, ast.Import):
            imports.extend(Import(_alias(item)) for item in node.names)
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(item.lineno for item in decorators)])
            code.append(Verbatim("\n".join(lines[first - 1 : node.end_lineno])))
    return Library(tuple(imports), tuple(code))


def _alias(item: ast.alias) -> str:
    return f"{item.name} as {item.asname}" if item.asname else item.name
