"""docs/ops.md: the reference of the ops as a page.

`python -m compiler.reporting.ops_page` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from compiler.op.op_docs import OpReference, reference, signature

PAGE = Path("docs/ops.md")

_HEAD = """# The ops

Made from the registry by `make docs`; `layergraph ops NAME` shows one of them.

Arguments bear torch's own names, without those that inference supplies. A number may
be an expression over params and dimensions (`4 * D`); where symbols are allowed too,
it may hold those of the network's inputs. `?` marks an input that may be left out,
`...` one that takes any number of values. An input is of floats unless it says more.
"""


def ops_page() -> str:
    """The page, in Markdown."""
    found = sorted(reference(), key=lambda one: (one.family, one.name))
    parts = [_HEAD]
    for family, members in groupby(found, key=lambda one: one.family):
        parts.append(f"## {family.replace('_', ' ').capitalize()}\n")
        parts.extend(_op(one) for one in members)
    return "\n".join(parts)


def _op(one: OpReference) -> str:
    text = one.text.replace("<", "\\<").replace("*", "\\*").replace("|", "\\|")
    torch = f" · `{one.torch}`" if one.torch else ""
    lines = [f"### {one.name}\n", f"`{signature(one)}`{torch}\n", f"{text}\n"]
    kinds = list(_kinds(one))
    if kinds:
        lines.append(f"Kinds: {', '.join(kinds)}.\n")
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
