"""Helpers of the printed graphs: values in the syntax of specs, and lines in columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from compiler.diagnostics.text import printable
from compiler.language.initializers import Initializer
from compiler.language.model import Model
from compiler.op.arg_types import Formula
from compiler.op.as_yaml import as_yaml


def written(value: Any) -> str:
    """A value in the syntax of specs.

    >>> written({"weight": [1.0, None, True]})
    '{weight: [1.0, null, true]}'
    """
    if isinstance(value, Formula):
        return value.text
    if isinstance(value, Initializer):
        return written({value.name: value.given}) if value.given else value.name
    if isinstance(value, Model):
        fields = {**dict(value), **(value.model_extra or {})}
        given = {k: v for k, v in fields.items() if k in value.model_fields_set}
        return written(given[value.alone] if {*given} == {value.alone} else given)
    if isinstance(value, dict):
        return f"{{{entries(value, ': ')}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(written, value))}]"
    return as_yaml(value)


def entries(values: Mapping[str, Any], sign: str = "=") -> str:
    """`p=0.1, inplace=true`."""
    return ", ".join(f"{name}{sign}{written(one)}" for name, one in values.items())


def as_text(lines: Iterable[str]) -> str:
    """Lines as one text, with unsafe characters escaped."""
    return "\n".join(map(printable, lines)) + "\n"


def section(name: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A heading with rows in columns below it; nothing if there are no rows."""
    lines = list(in_columns(rows))
    if lines:
        yield f"  {name}"
        yield from (f"    {line}" for line in lines)


def in_columns(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows of cells, each column but a row's last as wide as its widest cell.

    >>> list(in_columns([("a", "= linear"), ("out", "= a")]))
    ['a    = linear', 'out  = a']
    """
    found = list(rows)
    widths: dict[int, int] = {}
    for row in found:
        for column, cell in enumerate(row[:-1]):
            widths[column] = max(widths.get(column, 0), len(cell))
    for row in found:
        cells = (cell.ljust(widths.get(n, 0)) for n, cell in enumerate(row))
        yield "  ".join(cells).rstrip()
