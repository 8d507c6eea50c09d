"""The reference page of all ops, docs/ops.md.

`python -m compiler.reporting.ops_page` regenerates it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from compiler.op.op_docs import OpReference, reference, signature
from compiler.reporting.own_ops_text import OWN_OPS

PAGE = Path("docs/ops.md")

HEAD = """# Ops

Generated from the op registry by `make docs`; `layergraph ops NAME` prints one entry.

Ops and arguments have torch's names; arguments that are inferred, such as
`in_features`, are omitted. A number may be an expression over params and dimensions
(`4 * D`). Where the table adds "symbols too", it may also use symbolic dimensions of
the network's inputs.

In a signature, `?` marks an optional input, and `...` one that takes any number of
values. In a type such as `float[..., D]`, `...` stands for any number of dimensions;
`number` is float or int, and `any` is any dtype. Inputs are float unless the entry
lists other dtypes. What is missing can be [an op of your own](#ops-of-your-own).
"""


def ops_page() -> str:
    """The page, in Markdown."""
    found = sorted(reference(), key=lambda one: (one.family, one.name))
    parts = [HEAD]
    for family, members in groupby(found, key=lambda one: one.family):
        parts.append(f"## {family.replace('_', ' ').capitalize()}\n")
        parts.extend(map(op_entry, members))
    return "\n".join([*parts, OWN_OPS])


def op_entry(one: OpReference) -> str:
    """An op, as a section in Markdown."""
    text = one.text.replace("<", "&lt;").replace("*", "\\*").replace("|", "\\|")
    torch = f" · `{one.torch}`" if one.torch else ""
    lines = [f"### {one.name}\n", f"`{signature(one)}`{torch}\n", f"{text}\n"]
    kinds = list(_kinds(one))
    if kinds:
        lines.append(f"Input dtypes: {', '.join(kinds)}.\n")
    if one.arguments:
        lines += ["| argument | takes | default |", "|---|---|---|"]
        lines += [
            f"| `{item.name}` | {item.takes} | {_default(item.default)} |"
            for item in one.arguments
        ]
        lines.append("")
    return "\n".join(lines)


def _kinds(one: OpReference) -> Iterator[str]:
    for port in one.inputs:
        if port.kinds != ("float",):
            yield f"`{port.name}` {' or '.join(port.kinds)}"


def _default(value: str | None) -> str:
    return "required" if value is None else f"`{value}`"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(ops_page(), encoding="utf-8")
