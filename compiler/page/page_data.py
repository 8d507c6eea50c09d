"""TypedGraph -> the data of a page: everything that its script draws, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import Diagnostic, RequestError
from compiler.diagnostics.source import Source
from compiler.diagnostics.text import printable
from compiler.diagram.boxes import short_name
from compiler.diagram.draw import drawing_title, root_views, shows_names
from compiler.diagram.error_overlay import ErrorOverlay
from compiler.diagram.folding import expand_blocks
from compiler.diagram.links import checked_prefix
from compiler.diagram.options import DiagramOptions
from compiler.diagram.views import ScopeView
from compiler.ir.counts import ParameterCounter
from compiler.ir.typed import TypedGraph
from compiler.page.collect_scopes import ScopeCollector
from compiler.page.json_values import Json, JsonObject
from compiler.page.text_places import TextPlaces
from compiler.parse.gc_pause import gc_paused

_MOST_OPEN = 12  # networks that are open at first


@dataclass(frozen=True, slots=True)
class PageData:
    """What a page shows."""

    title: str
    families: tuple[str, ...]
    """The families of ops that occur."""
    files: tuple[str, ...]
    """The files that it shows, by their names in diagnostics and in this order."""
    shown: JsonObject
    """All that its script draws."""


@gc_paused()
def page_data(
    typed: TypedGraph,
    options: DiagramOptions,
    sources: Mapping[str, Source],
    warnings: tuple[Diagnostic, ...] = (),
) -> PageData:
    """What a page shows of a graph, or of the part of it that the options select.

    Args:
        sources: the files that the graph was compiled from, by their names in diagnostics.
        warnings: what is wrong beside the graph's own diagnostics.

    Raises:
        RequestError: if the spec has no such network or block, links may not start so, or a width is asked for.
    """
    if options.width:
        raise RequestError("a page has the width of its reader's window, and no other")
    links = checked_prefix(options.links)
    places = TextPlaces(typed.graph.document.source.file, sources, links)
    roots = root_views(typed, options)
    title = drawing_title(typed, roots, options, ParameterCounter())
    names = shows_names(roots, options)
    whole = [replace(root, whole=True, children={}) for root in roots]
    collector = ScopeCollector(typed, names, places)
    numbers, scopes = collector.collect(whole)
    networks: list[Json] = [
        {"name": short_name(root.name or title.name), "scope": number}
        for root, number in zip(roots, numbers, strict=True)
    ]
    found = tuple(sorted(collector.families))
    shown: JsonObject = {
        "title": title.name,
        "families": found,
        "lines": list(title.lines),
        "direction": options.direction,
        "theme": _theme(options),
        "key": int(options.key),
        "networks": networks,
        "scopes": list(scopes),
        "open": _open_at_first(roots, typed, options),
        "files": places.files(),
        "problems": places.errors((*typed.diagnostics, *warnings)),
    }
    return PageData(title.name, found, tuple(places.names), shown)


def failed_page(
    before: PageData | None,
    name: str,
    sources: Mapping[str, Source],
    diagnostics: tuple[Diagnostic, ...],
    message: str = "",
) -> PageData:
    """What a page shows of a spec that has no graph: its text with what is wrong, beside the last picture.

    Args:
        before: the page of the last text that had a graph.
        name: the file of the spec.
        sources: the files as they are now, by their names in diagnostics.
        message: what is wrong beside the diagnostics, at no place in a file.
    """
    before = before or _without_picture(name)
    places = TextPlaces(name, sources)
    without_place = (
        [{"severity": "error", "message": printable(message)}] if message else []
    )
    shown = before.shown | {
        "files": places.files(),
        "problems": [*places.errors(diagnostics), *without_place],
        "old": "old",
    }
    return replace(before, files=tuple(places.names), shown=shown)


def _without_picture(name: str) -> PageData:
    lists = dict.fromkeys(("lines", "families", "networks", "scopes", "open"), ())
    title = Path(name).name
    shown: JsonObject = {"title": title, "direction": "TB", "theme": "", **lists}
    return PageData(title, (), (), shown)


def _theme(options: DiagramOptions) -> str:
    """The theme that the page starts with; "" for that of the reader's system."""
    if options.theme == "auto":
        return ""
    return "dark" if options.theme == "dark" else "light"


def _open_at_first(
    roots: list[ScopeView], typed: TypedGraph, options: DiagramOptions
) -> list[Json]:
    """The paths of what is open when the page is opened: the number of a network, then names of layers."""
    shown = roots[:_MOST_OPEN]
    expand_blocks(shown, options, ErrorOverlay(typed))
    return [
        [number, *view.path]
        for number, root in enumerate(shown)
        for view in root.walk()
    ]
