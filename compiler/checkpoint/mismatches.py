"""The differences between a file and a spec, as diagnostics with their places in the spec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from compiler.checkpoint.assembly import sources
from compiler.checkpoint.match import TensorMatch
from compiler.checkpoint.plan import Entry
from compiler.diagnostics.diagnostic import Diagnostic, suggest
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import either, listed, shorten
from compiler.ir.graph import Place
from compiler.ir.typed import TypedGraph

_Detail = TypeVar("_Detail")


def problems(fit: TensorMatch, typed: TypedGraph, file: Path) -> tuple[Diagnostic, ...]:
    """A diagnostic for each rule that does not fit, and one for all that is left over."""
    found = [*_missing(fit, typed, file), *_differing(fit, typed)]
    if fit.unknown:
        names = listed(map(shorten, fit.unknown))
        message = f"nothing needs these tensors of {file.name}: {names}"
        help = "give them rules, or name them under `ignore`"
        span = _section(typed)
        found.append(Diagnostic("unknown-tensor", message, span, help=help))
    return tuple(found)


def _missing(fit: TensorMatch, typed: TypedGraph, file: Path) -> Iterator[Diagnostic]:
    rest = sorted({*fit.unknown, *fit.ignored})
    for span, entries in _by_place(typed, fit.missing):
        entry, lack = entries[0]
        wanted = [lack.names[0], *lack.instead]
        names = either([shorten(name) for name in wanted])
        message = f"{file.name} has no {names}{_and_more(entries)}"
        help = next(filter(None, (suggest(name, rest) for name in wanted)), "")
        yield Diagnostic(
            "missing-tensor", message, span, path=entry.tensor.name, help=help
        )


def _differing(fit: TensorMatch, typed: TypedGraph) -> Iterator[Diagnostic]:
    for span, entries in _by_place(typed, fit.differing):
        entry, wrong = entries[0]
        message = f"{wrong}{_and_more(entries)}"
        path = entry.tensor.name
        help = _JOINED if _all_there(fit, entry) else ""
        yield Diagnostic("tensor-mismatch", message, span, path=path, help=help)


_JOINED = "of a list one alternative counts: `concat` and `stack` join several tensors"


def _all_there(fit: TensorMatch, entry: Entry) -> bool:
    """Whether there is a tensor of every alternative of several, as if they were to be joined."""
    there = {*fit.used, *fit.unknown}
    names = [next(sources(assembly)) for assembly in entry.assemblies]
    return len(names) > 1 and there.issuperset(names)


def _and_more(entries: list[tuple[Entry, _Detail]]) -> str:
    return f", and so {len(entries) - 1} more" if len(entries) > 1 else ""


def _by_place(
    typed: TypedGraph, entries: Iterable[tuple[str, Entry, _Detail]]
) -> Iterator[tuple[Span, list[tuple[Entry, _Detail]]]]:
    """What is said of entries, together for those of one rule, or of one layer."""
    groups: dict[Span, list[tuple[Entry, _Detail]]] = {}
    for network, entry, detail in entries:
        groups.setdefault(_span(typed, network, entry), []).append((entry, detail))
    yield from groups.items()


def _span(typed: TypedGraph, network: str, entry: Entry) -> Span:
    """The rule of a tensor; the layer, where it goes by its name."""
    if not entry.rule:
        return entry.tensor.place.span(key=True)
    below = ("checkpoint", network) if network else ("checkpoint",)
    place = Place(typed.graph.document, (*below, "tensors", entry.rule))
    return place.span(key=True)


def _section(typed: TypedGraph) -> Span:
    document = typed.graph.document
    key = "checkpoint" if document.root.get("checkpoint") is not None else "name"
    return document.locate((key,), key=True)
