"""The tensors of a file held against what a plan makes of them: which fit, which are missing, which are left over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from compiler.checkpoint.plan import (
    MOST_WORK,
    Entry,
    Plan,
    origins,
    own_plans,
    plans,
)
from compiler.checkpoint.recipes import Making, Misfit, Sizes, shape_of, shown, sources
from compiler.diagnostics import RequestError
from compiler.typed import TypedGraph

Shapes = Mapping[str, Sizes]
Named = tuple[str, str]
"""A network and one of its tensors."""


@dataclass
class Fit:
    """What became of every tensor of the networks, and of the file."""

    own: bool = False
    """Whether the file has the spec's own names."""
    makings: dict[Named, Making] = field(default_factory=dict)
    """What each tensor is made of; those that are tied to another are not there."""
    left_out: list[Named] = field(default_factory=list)
    """Tensors that the checkpoint leaves as they begin."""
    missing: list[tuple[str, Entry, tuple[str, ...]]] = field(default_factory=list)
    """Tensors that cannot be made, and the names that the file lacks."""
    differing: list[tuple[str, Entry, str]] = field(default_factory=list)
    """Tensors whose shapes differ, and how."""
    used: set[str] = field(default_factory=set)
    ignored: list[str] = field(default_factory=list)
    """What the file holds and the checkpoint says to ignore."""
    unknown: list[str] = field(default_factory=list)
    """What the file holds and nothing needs."""

    @property
    def fits(self) -> bool:
        """Whether all tensors can be made, and nothing is left over."""
        return not (self.missing or self.differing or self.unknown)


def fit(typed: TypedGraph, shapes: Shapes, network: str = "") -> Fit:
    """Hold the shapes of a file against the networks of a spec, or one of them.

    A file may have the published names, or those of the spec, as one that was converted.

    Raises:
        RequestError: where there is no such network, or too much to be held against each other.
    """
    published = hold(_chosen(plans(typed), network), plans(typed), shapes)
    if published.fits:
        return published
    own = hold(_chosen(own_plans(typed), network), own_plans(typed), shapes)
    own.own = True
    _leave_out(own, set(published.left_out))
    return own if own.fits else published


def _leave_out(fit: Fit, names: set[Named]) -> None:
    """What the checkpoint leaves as it begins is not in a file that was converted."""
    missing = [(network, entry.tensor.name) for network, entry, _ in fit.missing]
    fit.left_out += [named for named in missing if named in names]
    fit.missing = [
        one
        for one, named in zip(fit.missing, missing, strict=True)
        if named not in names
    ]


def _chosen(every: Sequence[Plan], network: str) -> list[Plan]:
    found = [plan for plan in every if network in ("", plan.network)]
    if not found:
        names = ", ".join(plan.network for plan in every if plan.network)
        message = f"there is no network {network}"
        raise RequestError(f"{message}; the networks are {names}" if names else message)
    return found


def hold(chosen: Iterable[Plan], every: Iterable[Plan], shapes: Shapes) -> Fit:
    """Hold shapes against plans. What the other networks need is no more left over than what is ignored."""
    found = Fit()
    every = list(every)
    for plan in every:
        found.used.update(_needed(plan, shapes))
    for plan in chosen:
        for group in origins(plan.entries).values():
            _hold_group(plan.network, group, shapes, found)
    _hold_rest(every, shapes, found)
    return found


def _needed(plan: Plan, shapes: Shapes) -> Iterable[str]:
    return (
        name
        for entry in plan.entries
        if entry.making is not None
        for name in sources(entry.making)
        if name in shapes
    )


def _hold_group(network: str, group: list[Entry], shapes: Shapes, found: Fit) -> None:
    """A tensor and those tied to it: any of them may be in the file."""
    first = group[0].tensor
    candidates = [entry for entry in group if entry.making is not None]
    if not candidates:
        found.left_out.append((network, first.name))
        return
    lacking = [(entry, _lacking(entry, shapes)) for entry in candidates]
    present = [entry for entry, names in lacking if not names]
    if not present:
        entry, names = lacking[0]
        found.missing.append((network, entry, names))
    for entry in present:
        assert entry.making is not None
        if wrong := _wrong(entry, entry.making, shapes):
            found.differing.append((network, entry, wrong))
    if present and present[0].making is not None:
        found.makings[network, first.name] = present[0].making


def _lacking(entry: Entry, shapes: Shapes) -> tuple[str, ...]:
    assert entry.making is not None
    return tuple(name for name in sources(entry.making) if name not in shapes)


def _wrong(entry: Entry, making: Making, shapes: Shapes) -> str:
    tensor = entry.tensor
    try:
        shape = shape_of(making, shapes)
    except Misfit as error:
        return f"{tensor.name} cannot be made: {error}"
    if shape == tensor.shape:
        return ""
    wanted, given = shown(tensor.shape), shown(shape)
    return f"{tensor.name} is {wanted}, and the file gives {given}"


def _hold_rest(every: Sequence[Plan], shapes: Shapes, found: Fit) -> None:
    ignore = [pattern for plan in every for pattern in plan.ignore]
    rest = [name for name in shapes if name not in found.used]
    if len(ignore) * len(rest) > MOST_WORK:
        raise RequestError("the file has too many tensors for so much to ignore")
    for name in rest:
        known = any(pattern.match(name) is not None for pattern in ignore)
        (found.ignored if known else found.unknown).append(name)
