"""Compare the tensors of a file with a plan: which fit, which are missing, which are left over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from compiler.checkpoint.assembly import (
    Assembly,
    Sizes,
    shape_of,
    shown,
    sources,
)
from compiler.checkpoint.headers import Stored, read_header, read_mark
from compiler.checkpoint.name_schemes import Reading, asked_for, readings
from compiler.checkpoint.plan import MOST_WORK, Entry, Plan, origins
from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.text import either
from compiler.ir.typed import TypedGraph

Shapes = Mapping[str, Sizes]
Named = tuple[str, str]
"""A network and one of its tensors."""


@dataclass(frozen=True, slots=True)
class Lack:
    """The names that a file lacks, and in `instead` the first name of each alternative, if it has none of them."""

    names: tuple[str, ...]
    instead: tuple[str, ...] = ()


@dataclass
class TensorMatch:
    """The result of matching every tensor of the networks and of the file."""

    reading: Reading
    """How the names of the file were read."""
    assemblies: dict[Named, Assembly] = field(default_factory=dict)
    """What each tensor is made of, without those that are tied to another."""
    tied: dict[Named, list[tuple[str, Assembly]]] = field(default_factory=dict)
    """By tensor, the names of tensors tied to it that the file has as well, and what these are made of."""
    initialised: list[Named] = field(default_factory=list)
    """Tensors that the checkpoint leaves as they are initialised."""
    missing: list[tuple[str, Entry, Lack]] = field(default_factory=list)
    """Tensors that cannot be made, and what the file lacks."""
    differing: list[tuple[str, Entry, str]] = field(default_factory=list)
    """Tensors whose shapes differ, and how."""
    used: set[str] = field(default_factory=set)
    ignored: list[str] = field(default_factory=list)
    """What the file holds and the checkpoint says to ignore."""
    unknown: list[str] = field(default_factory=list)
    """What the file holds and nothing needs."""

    @property
    def whole(self) -> bool:
        """Whether all tensors can be made."""
        return not (self.missing or self.differing)

    @property
    def fits(self) -> bool:
        """Whether all tensors can be made, and nothing is left over."""
        return self.whole and not self.unknown


def fit_file(
    typed: TypedGraph, file: Path, network: str = "", names: str = ""
) -> tuple[TensorMatch, dict[str, Stored]]:
    """Compare a file with the networks of a spec, as `fit`; also returns the file's header.

    A file that was converted for this spec says so, and needs no `names`.

    Raises:
        RequestError: if it cannot be read, and as `fit`.
    """
    header = read_header(file)
    if not names and read_mark(file) == typed.graph.spec.name:
        names = "own"
    shapes = {name: stored.shape for name, stored in header.items()}
    return fit(typed, shapes, network, names), header


def fit(
    typed: TypedGraph, shapes: Shapes, network: str = "", names: str = ""
) -> TensorMatch:
    """Compare the shapes in a file with the networks of a spec, or one of them.

    A file may have the published names, these with a leading part more or less, or those
    of the spec, as one that was converted. Where it fits by none of them, it is held
    against the one by which most of its tensors are there.

    Args:
        names: whose names they are, `published` or `own`; "" where that is to be found.

    Raises:
        RequestError: where there is no such network, or too much to be held against each
            other; and where the file fits in two ways that make something else of it.
    """
    held = [_hold(reading, network, shapes) for reading in readings(typed)]
    _leave_out(held)
    held = [one for one in held if asked_for(one.reading, names)] or held
    for one in held:
        if one.whole:
            _match_rest(one, shapes)
    if fits := [one for one in held if one.fits]:
        return _only(fits)
    nearest = max(held, key=lambda one: len(one.assemblies) - len(one.differing))
    if not nearest.whole:
        _match_rest(nearest, shapes)
    return nearest


def _only(fits: Sequence[TensorMatch]) -> TensorMatch:
    first = fits[0]
    other = next((one for one in fits if one.assemblies != first.assemblies), None)
    if other is None:
        return first
    descriptions = [
        one.reading.description or "names as published" for one in (first, other)
    ]
    message = f"the file fits in two ways: {either(descriptions)}"
    raise RequestError(f"{message}; say whose names they are: published or own")


def _leave_out(held: Sequence[TensorMatch]) -> None:
    """What the checkpoint leaves as it begins is not in a file that was converted."""
    names = {named for one in held for named in one.initialised}
    for one in held:
        if one.reading.own:
            missing = [(net, entry.tensor.name) for net, entry, _ in one.missing]
            one.initialised += [named for named in missing if named in names]
            one.missing = [
                lack
                for lack, named in zip(one.missing, missing, strict=True)
                if named not in names
            ]


def _chosen(every: Sequence[Plan], network: str) -> list[Plan]:
    found = [plan for plan in every if network in ("", plan.network)]
    if not found:
        names = ", ".join(plan.network for plan in every if plan.network)
        message = f"there is no network {network}"
        raise RequestError(f"{message}; the networks are {names}" if names else message)
    return found


def left_over(plans: list[Plan], names: Iterable[str]) -> list[str]:
    """The tensors of a file that no plan needs or ignores."""
    shapes: Shapes = dict.fromkeys(names, ())
    found = TensorMatch(Reading(plans), used=_needed(plans, shapes))
    _match_rest(found, shapes)
    return found.unknown


def _hold(reading: Reading, network: str, shapes: Shapes) -> TensorMatch:
    """Hold shapes against plans. What the other networks need is no more left over than what is ignored."""
    found = TensorMatch(reading, used=_needed(reading.plans, shapes))
    for plan in _chosen(reading.plans, network):
        for group in origins(plan.entries).values():
            _hold_group(plan.network, group, shapes, found)
    return found


def _needed(plans: Iterable[Plan], shapes: Shapes) -> set[str]:
    return {
        name
        for plan in plans
        for entry in plan.entries
        if entry.assemblies
        for name in sources(_nearest(entry, shapes))
        if name in shapes
    }


def _nearest(entry: Entry, shapes: Shapes) -> Assembly:
    """The first assembly whose tensors are all there; else the one of which most are."""
    if len(entry.assemblies) == 1:
        return entry.assemblies[0]
    lacking = [len(_lacking(assembly, shapes)) for assembly in entry.assemblies]
    if 0 in lacking:
        return entry.assemblies[lacking.index(0)]
    there = [
        sum(n in shapes for n in sources(assembly)) for assembly in entry.assemblies
    ]
    return entry.assemblies[there.index(max(there))]


def _hold_group(
    network: str, group: list[Entry], shapes: Shapes, found: TensorMatch
) -> None:
    """A tensor and those tied to it: any of them may be in the file."""
    first = group[0].tensor
    candidates = [
        (entry, _nearest(entry, shapes)) for entry in group if entry.assemblies
    ]
    if not candidates:
        found.initialised.append((network, first.name))
        return
    lacking = [_lacking(assembly, shapes) for _, assembly in candidates]
    present = [one for one, names in zip(candidates, lacking, strict=True) if not names]
    if all(_absent(entry, assembly, shapes) for entry, assembly in candidates):
        found.initialised.append((network, first.name))
        return
    if not present:
        entry, assembly = candidates[0]
        lack = _lack(entry, assembly, lacking[0])
        found.missing.append((network, entry, lack))
        return
    for entry, assembly in present:
        if wrong := _difference(entry, assembly, shapes):
            found.differing.append((network, entry, wrong))
    found.assemblies[network, first.name] = present[0][1]
    if others := present[1:]:
        named = [(entry.tensor.name, assembly) for entry, assembly in others]
        found.tied[network, first.name] = named


def _absent(entry: Entry, assembly: Assembly, shapes: Shapes) -> bool:
    """Whether the tensor may be left as it begins, and nothing of it is in the file."""
    return entry.optional and not any(name in shapes for name in sources(assembly))


def _lacking(assembly: Assembly, shapes: Shapes) -> tuple[str, ...]:
    return tuple(name for name in sources(assembly) if name not in shapes)


def _lack(entry: Entry, nearest: Assembly, lacking: tuple[str, ...]) -> Lack:
    if len(lacking) < sum(1 for _ in sources(nearest)):
        return Lack(lacking)
    others = (one for one in entry.assemblies if one is not nearest)
    return Lack(lacking, tuple(next(sources(one)) for one in others))


def _difference(entry: Entry, assembly: Assembly, shapes: Shapes) -> str:
    tensor = entry.tensor
    try:
        shape = shape_of(assembly, shapes)
    except ValueError as error:
        return f"{tensor.name} cannot be made: {error}"
    if shape == tensor.shape:
        return ""
    wanted, given = shown(tensor.shape), shown(shape)
    return f"{tensor.name} is {wanted}, and the file gives {given}"


def _match_rest(found: TensorMatch, shapes: Shapes) -> None:
    plans = found.reading.plans
    rest = [name for name in shapes if name not in found.used]
    if sum(len(plan.ignore) for plan in plans) * len(rest) > MOST_WORK:
        raise RequestError("the file has too many tensors for so much to ignore")
    for name in rest:
        known = any(plan.ignores(name) for plan in plans)
        (found.ignored if known else found.unknown).append(name)
