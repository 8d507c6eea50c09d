"""Import sorting, in the order of isort and ruff."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from compiler.codegen.statements import Import


def sections(imports: Iterable[Import]) -> list[list[Import]]:
    """Imports without duplicates, sorted, in sections to be separated by a blank line."""
    found: dict[int, list[Import]] = {}
    for item in sorted(set(_merged(imports)), key=_order):
        found.setdefault(_section(item), []).append(item)
    return list(found.values())


def _merged(imports: Iterable[Import]) -> Iterator[Import]:
    """One import per module, and a separate one for each renamed name."""
    plain: dict[str, set[str]] = {}
    for item in imports:
        if not item.names:
            yield item
        for name in item.names:
            if " as " in name:
                yield Import(item.module, (name,))
            else:
                plain.setdefault(item.module, set()).add(name)
    for module, names in plain.items():
        yield Import(module, tuple(sorted(names, key=_name_order)))


def _name_order(name: str) -> tuple[int, str, str]:
    """Isort's order: constants, then classes, then other names."""
    is_constant = name.isupper() and len(name) > 1
    kind = 0 if is_constant else 1 if name[:1].isupper() else 2
    return kind, name.lower(), name


def _order(
    item: Import,
) -> tuple[int, bool, str, str, tuple[tuple[int, str, str], ...]]:
    names = tuple(map(_name_order, item.names))
    return _section(item), bool(names), item.module.lower(), item.module, names


def _section(item: Import) -> int:
    root = item.module.partition(".")[0]
    if root == "__future__":
        return 0
    return 1 if root in sys.stdlib_module_names else 2
