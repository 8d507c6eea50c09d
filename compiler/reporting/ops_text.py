"""The reference of the ops on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from compiler.diagnostics.diagnostic import RequestError, suggest
from compiler.diagnostics.other_names import op_help, ops_meant
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
        hint = (
            op_help(name) or suggest(name, ops()) or "`ops --search WORD` looks for one"
        )
        raise RequestError(f"there is no op {name}; {hint}")
    return (op_reference(ops()[name]),)


def search(text: str) -> tuple[OpReference, ...]:
    """The ops that have all words of a text in their name, description or arguments, or that other tools call so.

    Raises:
        RequestError: if there are none.
    """
    words = text.casefold().split()
    meant = ops_meant(text)
    found = tuple(one for one in reference() if one.name in meant or _has(one, words))
    if not found:
        hint = op_help(text) or "`ops` lists all"
        raise RequestError(f"no op has to do with {text}; {hint}")
    return found


def _has(one: OpReference, words: Sequence[str]) -> bool:
    arguments = (item.name for item in one.arguments)
    said = " ".join((one.name, one.family, one.torch, one.text, *arguments)).casefold()
    return all(word in said for word in words)


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
