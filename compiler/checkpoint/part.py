"""Weights that a network takes a part of: which tensors are loaded, and which are initialised.

A tensor that a file lacks, or has in another shape, is initialised if nothing that is loaded depends on it: a new
head, or one for other classes. Elsewhere it is an error, unless the caller expects it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from compiler.checkpoint.match import Named, TensorMatch
from compiler.checkpoint.mismatches import problems
from compiler.checkpoint.plan import Entry
from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import DataError, SpecError
from compiler.ir.tensors import OwnTensor, held_name, own_tensors
from compiler.ir.typed import Instance, TypedGraph

_HELP = "if it is to be initialised, name it under `new` of the task's `start`"


@dataclass(frozen=True)
class Part:
    """The tensors of a file that are loaded, and those of the networks that are initialised.

    Attributes:
        match: the match, with the assemblies of the loaded tensors alone.
        new: network and tensor of all that is initialised; of tied tensors the first.
    """

    match: TensorMatch
    new: tuple[tuple[str, OwnTensor], ...]


def part(
    typed: TypedGraph, match: TensorMatch, file: Path, expected: Collection[str]
) -> Part:
    """The part of a file that fits.

    Args:
        typed: the networks.
        match: the file compared with them.
        file: where it was read, for messages.
        expected: names of tensors that are initialised in any case; of several networks, after the name of theirs.

    Raises:
        SpecError: if a tensor is initialised that a loaded one depends on, and is not expected.
        DataError: if no tensor is loaded.
    """
    new: list[tuple[str, OwnTensor]] = []
    middle: set[Named] = set()
    for network, instance in typed.networks.items():
        prefix = f"{network}." if network else ""
        own = [one for one in own_tensors(instance) if not one.origin]
        asked = {one.name for one in own if prefix + one.name in expected}
        lacking = _lacking(match, network, own, asked)
        new += [(network, one) for one in own if one.name in lacking]
        loaded = {one.name for one in own} - lacking
        needed = _needed(instance, set(map(_first, loaded)))
        wrong = {name for name in lacking - asked if _first(name) in needed}
        middle |= {(network, name) for name in wrong}
    names = {(network, one.name) for network, one in new}
    assemblies = {k: v for k, v in match.assemblies.items() if k not in names}
    if not assemblies:
        raise DataError(f"{file} has no weights of {typed.graph.spec.name}")
    if found := problems(_only(match, middle), typed, file):
        raise SpecError(tuple(replace(one, help=one.help or _HELP) for one in found))
    tied = {k: v for k, v in match.tied.items() if k in assemblies}
    return Part(replace(match, assemblies=assemblies, tied=tied), tuple(new))


def _lacking(
    match: TensorMatch, network: str, own: list[OwnTensor], asked: set[str]
) -> set[str]:
    """The tensors that are initialised: those that do not fit, with all others of their layers, and what is asked."""
    wrong = {entry.tensor.name for name, entry, _ in _misfits(match) if name == network}
    left = {name for key, name in match.initialised if key == network}
    layers = set(map(_layer, wrong))
    beside = {one.name for one in own if _layer(one.name) in layers}
    return beside | asked | left


def _misfits(match: TensorMatch) -> Iterator[tuple[str, Entry, object]]:
    yield from match.missing
    yield from match.differing


def _only(match: TensorMatch, names: set[Named]) -> TensorMatch:
    """The match with these misfits alone."""
    return replace(
        match,
        missing=[one for one in match.missing if (one[0], one[1].tensor.name) in names],
        differing=[
            one for one in match.differing if (one[0], one[1].tensor.name) in names
        ],
        unknown=[],
    )


def _needed(instance: Instance, layers: set[str]) -> set[str]:
    """The layers that these depend on, themselves included, as tensors name them."""
    nodes = instance.nodes
    names = {name: held_name(instance, node) for name, node in nodes.items()}
    waiting = [
        name
        for name, node in nodes.items()
        if names[name] in layers or names.get(node.node.shared) in layers
    ]
    found = set(waiting)
    while waiting:
        for _, ref in nodes[waiting.pop()].node.refs():
            if ref.node in nodes and ref.node not in found:
                found.add(ref.node)
                waiting.append(ref.node)
    return {names[name] for name in found}


def _first(name: str) -> str:
    """The layer of the network that a tensor is in."""
    return name.partition(".")[0]


def _layer(name: str) -> str:
    """The layer that has a tensor."""
    return name.rpartition(".")[0]
