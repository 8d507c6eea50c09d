"""The possible schemes of the names in a file: as published, with or without a prefix, or the spec's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from compiler.checkpoint.assembly import renamed, sources
from compiler.checkpoint.plan import Plan, own_plans, plans
from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.text import shorten
from compiler.ir.typed import TypedGraph

NAMES: Final = ("published", "own")
"""Whose names a file may have, on the command line."""


@dataclass(frozen=True)
class Reading:
    """The plans under one scheme of names, and a description of the scheme."""

    plans: list[Plan]
    description: str = ""
    """`names without transformer.`; "" for names as published."""
    own: bool = False
    """Whether they are the spec's own, as in a converted file."""


def readings(typed: TypedGraph) -> list[Reading]:
    """The schemes, the most usual first; without a checkpoint the spec's own names are the published ones.

    Raises:
        RequestError: if the networks are too large.
    """
    own = Reading(own_plans(typed), "the spec's own names", own=True)
    if typed.graph.spec.checkpoint is None:
        return [replace(own, description="")]
    return [*_published(typed), own]


def asked_for(reading: Reading, names: str) -> bool:
    """Whether a scheme is of `published` or `own` names, or of any ("").

    Raises:
        RequestError: for other text.
    """
    if names not in ("", *NAMES):
        raise RequestError(f"names are {' or '.join(NAMES)}, not {shorten(names)}")
    return not names or reading.own == (names == "own")


def _published(typed: TypedGraph) -> Iterator[Reading]:
    published = plans(typed)
    yield Reading(published)
    for change, description in ((_without_prefix, "without"), (_with_prefix, "with")):
        changed = [change(plan) for plan in published]
        if changed_ones := [
            plan
            for plan, before in zip(changed, published, strict=True)
            if plan is not before
        ]:
            prefixes = dict.fromkeys(f"{plan.prefix}." for plan in changed_ones)
            yield Reading(changed, f"names {description} {', '.join(prefixes)}")


def _without_prefix(plan: Plan) -> Plan:
    """The names of a file that lacks the prefix; names without it are unchanged."""
    start = f"{plan.prefix}."
    has_prefix = any(
        name.startswith(start)
        for entry in plan.entries
        for assembly in entry.assemblies
        for name in sources(assembly)
    )
    if not plan.prefix or not has_prefix:
        return plan
    return _renamed(
        plan,
        lambda name: name.removeprefix(start),
        lambda name: (name, start + name),
    )


def _with_prefix(plan: Plan) -> Plan:
    """The names of a file that has the prefix in addition."""
    start = f"{plan.prefix}."
    if not plan.prefix:
        return plan
    return _renamed(
        plan,
        lambda name: start + name,
        lambda name: (name, name.removeprefix(start)),
    )


def _renamed(
    plan: Plan,
    rename: Callable[[str], str],
    spelled: Callable[[str], tuple[str, ...]],
) -> Plan:
    entries = (
        replace(
            entry, assemblies=tuple(renamed(one, rename) for one in entry.assemblies)
        )
        for entry in plan.entries
    )
    return replace(plan, entries=tuple(entries), spelled=spelled)
