"""The reference of the ops on a terminal."""

from __future__ import annotations

from itertools import groupby

from compiler.diagnostics.diagnostic import RequestError, suggest
from compiler.op.op_docs import OpReference, op_reference, reference, signature
from compiler.op.registry import ops


def select(name: str) -> tuple[OpReference, ...]:
    """The op of a name; all ops for "".

    Raises:
        RequestError: if there is no such op.
    """
    if not name:
        return reference()
    if name not in ops():
        hint = suggest(name, ops()) or "`ops` lists all"
        raise RequestError(f"there is no op {name}; {hint}")
    return (op_reference(ops()[name]),)


def overview(found: tuple[OpReference, ...]) -> str:
    """A line for each op, by family."""
    order = sorted(found, key=lambda one: (one.family, one.name))
    width = max(len(one.name) for one in order)
    lines = []
    for family, members in groupby(order, key=lambda one: one.family):
        lines.append(f"{family.replace('_', ' ')}:")
        lines += [f"  {one.name:{width}}  {one.summary}" for one in members]
    return "\n".join(lines) + "\n"


def detail(one: OpReference) -> str:
    """Everything about an op."""
    torch = [f"stands for {one.torch}"] if one.torch else []
    lines = [signature(one), *torch, "", one.text]
    if one.inputs:
        lines += ["", "inputs:"]
    for port in one.inputs:
        how = " (any number)" * port.variadic + " (optional)" * port.optional
        lines.append(f"  {port.name}: {' or '.join(port.kinds)}{how}")
    if one.arguments:
        lines += ["", "arguments:"]
    for item in one.arguments:
        default = "required" if item.default is None else f"default {item.default}"
        lines.append(f"  {item.name}: {item.takes}; {default}")
    return "\n".join(lines) + "\n"
