"""What is known of a spec while it is written: of the text that is there, and of no text before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.source import Source, Span
from compiler.editing.mentions import Mention, Named, bases_named, mentions
from compiler.editing.prune import Pruned, prune
from compiler.editing.trust import Trust
from compiler.ir.graph import Graph, Unit
from compiler.ir.typed import TypedGraph
from compiler.parse.document import Document, MappingNode, ScalarNode
from compiler.parse.gc_pause import gc_paused
from compiler.parse.recover import recover
from compiler.pipeline import PASSES, Request, check_request

_RUN: Final[Mapping[str, Callable[[Any, Request], Any]]] = {
    one.name: one.run for one in PASSES
}
_ROUNDS = 24
_CHARACTERS = 200_000
"""Characters that all rounds together look at, about."""
_NOT_THERE = frozenset(("import-not-found", "file-not-found", "file-unreadable"))


@dataclass(frozen=True, slots=True, eq=False)
class _Surveyed:
    """What could be made of a text, and the codes of what was wrong with it."""

    pruned: Pruned
    codes: frozenset[str]
    graph: Graph | None = None
    unit: Unit | None = None
    whole: bool = False


@dataclass(frozen=True)
class Survey:
    """A file as it is in an editor, and what could be made of it.

    Nothing in it is of another text: where the text is half written, what cannot be read or typed is missing.
    """

    file: Path
    text: str
    texts: Mapping[Path, str]
    """The other texts that are open, by paths without links."""
    limits: Limits = Limits()

    @cached_property
    def source(self) -> Source:
        """The text."""
        return Source(str(self.file), self.text)

    @cached_property
    def document(self) -> Document:
        """The nodes of the file itself, as far as the text can be read."""
        return recover(self.source, self.limits)

    @cached_property
    def merged(self) -> Document:
        """The same with what it extends, or as the spec of a recipe, as far as that can be read."""
        document = self.document
        try:
            document = _RUN["extend"](document, self._made)
            return _RUN["apply_recipe"](document, self._made)  # type: ignore[no-any-return]
        except SpecError:
            return document

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """All names in it."""
        blocks = self.graph.blocks if self.graph is not None else {}
        own = self.document.source.file
        imported = {
            name: {param: str(one.kind or "") for param, one in block.params.items()}
            for name, block in blocks.items()
            if block.place.document.source.file != own
        }
        found = mentions(self.merged, imported)
        recipe = self.merged.variant
        if not recipe:
            return found
        written = (one for one in found if one.of != Named("variant", recipe))
        return (*bases_named(self.document), *written)

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All that `check` says of it."""
        request = self._request
        try:
            return check_request(request)
        except SpecError as error:
            return error.diagnostics

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The files that were read for the graph, and this one, by their names in places."""
        _ = self._surveyed
        return self._made.sources

    @property
    def whole(self) -> bool:
        """Whether the graph is that of all that is written."""
        return self._surveyed.whole

    @property
    def graph(self) -> Graph | None:
        """The graph of what could be read; None if there is none."""
        return self._surveyed.graph

    @property
    def unit(self) -> Unit | None:
        """The file with those that it imports; None if it could not be read as a spec."""
        return self._surveyed.unit

    @property
    def lacks_file(self) -> bool:
        """Whether a file that it names is not there."""
        return bool(self._surveyed.codes & _NOT_THERE)

    @cached_property
    @gc_paused()
    def typed(self) -> TypedGraph | None:
        """The types of the graph."""
        if self.graph is None:
            return None
        found: TypedGraph = _RUN["infer"](self.graph, self._made)
        return found

    @cached_property
    def trust(self) -> Trust:
        """Which layers have the types that they will have, whatever comes in place of what is left out."""
        assert self.typed is not None
        return Trust(self.typed, self._surveyed.pruned)

    @cached_property
    def _request(self) -> Request:
        texts = {**self.texts, self.file.resolve(): self.text}
        return Request(self.file, limits=self.limits, texts=texts)

    @cached_property
    def _made(self) -> Request:
        texts = {**self.texts, self.file.resolve(): self.text}
        made = Request(self.file, limits=self.limits, texts=texts)
        made.sources[self.source.file] = self.source
        return made

    @cached_property
    @gc_paused()
    def _surveyed(self) -> _Surveyed:
        """What could be made of the text: what is wrong with a stage is left out, until nothing is."""
        document, codes = _named(self.document), set[str]()
        try:
            document = _RUN["extend"](document, self._made)
            document = _RUN["apply_recipe"](document, self._made)
        except SpecError as error:
            return _Surveyed(Pruned(document), frozenset(_codes(error)))
        pruned = Pruned(document)
        rounds = min(_ROUNDS, max(2, _CHARACTERS // (len(self.text) + 1)))
        for _ in range(rounds):
            try:
                unit = _RUN["check"](pruned.document, self._made)
                unit = _RUN["link"](unit, self._made)
                graph: Graph = _RUN["elaborate"](unit, self._made)
            except SpecError as error:
                codes |= _codes(error)
                if "too-many-problems" in codes:  # those that are not shown stay
                    break
                less = prune(pruned, _blamed(error, pruned.document))
                if less is None:
                    break
                pruned = less
            else:
                whole = pruned.document is document and not self._unread
                return _Surveyed(pruned, frozenset(codes), graph, unit, whole)
        return _Surveyed(pruned, frozenset(codes))

    @cached_property
    def _unread(self) -> bool:
        """Whether a part of the text cannot be read, or it has no name."""
        if _named(self.document) is not self.document:
            return True
        try:
            _RUN["parse"](self.source, self._made)
        except SpecError:
            return True
        return False


def _named(document: Document) -> Document:
    """The document with a name, which every spec has in the end."""
    if document.root.get("name") is not None or document.root.get("network"):
        return document
    span = Span(document.source.file, 1, 1, 1, 1)
    key, value = ScalarNode("name", "name", span), ScalarNode("Net", "Net", span)
    root = MappingNode((*document.root.entries, (key, value)), document.root.span)
    return Document(document.source, root)


def _codes(error: SpecError) -> set[str]:
    return {one.code for one in error.diagnostics}


def _blamed(error: SpecError, document: Document) -> list[Span]:
    """Where the errors are in a document; for one in a file that it imports, where it does."""
    known = {document.source.file, *document.bases}
    found = []
    for one in error.diagnostics:
        if one.severity != "error":
            continue
        own = one.span.file in known or document.network is not None
        found += [one.span] if own else _imports_of(document, one.span.file)
    return found


def _imports_of(document: Document, file: str) -> list[Span]:
    """The imports of a file; all where none names it: another may import it."""
    section = document.root.get("import")
    entries = section.entries if isinstance(section, MappingNode) else ()
    name = Path(file).name
    own = [key.span for key, value in entries if _ends(value, name)]
    return own or [key.span for key, _ in entries]


def _ends(value: object, name: str) -> bool:
    return isinstance(value, ScalarNode) and Path(value.text).name == name
