"""What the compiler knows of a spec, as the answers of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from lsprotocol import types as lsp
from pygls.workspace import PositionCodec

from compiler.diagnostics.diagnostic import Diagnostic, RequestError, SpecError
from compiler.diagnostics.source import Span
from compiler.editing.complete import Candidate, complete
from compiler.editing.hints import hints, lenses
from compiler.editing.hover import hover, op_text
from compiler.editing.locate import declarations, occurrences, users_of_block
from compiler.editing.mend import Mend, mend
from compiler.editing.outline import OutlineItem, outline
from compiler.editing.related import place_in, related_places
from compiler.editing.rename import Edit, renamable, rename
from compiler.editing.survey import Survey
from compiler.fmt.format_spec import format_spec
from layergraph.lsp.lines import Lines
from layergraph.lsp.open_files import OpenFile, OpenFiles

SOURCE: Final = "layergraph"
_SEVERITIES: Final = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
}
_UNNEEDED: Final = frozenset(("unused-layer", "unused-param", "unused-block"))
_KINDS: Final = {
    "key": lsp.CompletionItemKind.Property,
    "op": lsp.CompletionItemKind.Function,
    "block": lsp.CompletionItemKind.Class,
    "argument": lsp.CompletionItemKind.Field,
    "value": lsp.CompletionItemKind.Variable,
    "port": lsp.CompletionItemKind.Field,
    "param": lsp.CompletionItemKind.Constant,
    "dimension": lsp.CompletionItemKind.TypeParameter,
    "choice": lsp.CompletionItemKind.EnumMember,
}
_ORDER: Final = {"argument": "0", "value": "0", "block": "0", "choice": "0"}
"""What comes before the rest: what is of this place alone."""
_PARTS: Final = {
    "network": lsp.SymbolKind.Class,
    "block": lsp.SymbolKind.Class,
    "input": lsp.SymbolKind.Variable,
    "output": lsp.SymbolKind.Variable,
    "layer": lsp.SymbolKind.Function,
    "group": lsp.SymbolKind.Namespace,
    "param": lsp.SymbolKind.Constant,
    "section": lsp.SymbolKind.Namespace,
}


class Replies:
    """Answers about the open files, each of the text that the file has when it is asked for."""

    def __init__(self, files: OpenFiles, codec: Callable[[], PositionCodec]) -> None:
        self.files, self._codec = files, codec

    def diagnostics(self, uri: str) -> list[lsp.Diagnostic]:
        """What `check` says of a file; nothing of one that is no spec."""
        if not self.files.is_spec(uri):
            return []
        survey = self.files.survey(uri)
        return [self._diagnostic(survey, one) for one in survey.diagnostics]

    def _diagnostic(self, survey: Survey, one: Diagnostic) -> lsp.Diagnostic:
        own = survey.source.file
        place = place_in(survey, one)
        related = list(related_places(survey, one))
        message = one.message
        if one.span.file != own:
            related.insert(0, (one.span, one.message))
            message = f"{one.span.at}: {message}"
        lines = [message, one.label, one.path and f"in {one.path}"]
        lines.append(one.help and f"help: {one.help}")
        return lsp.Diagnostic(
            self._lines(survey).range(place),
            "\n".join(filter(None, lines)),
            severity=_SEVERITIES[one.severity],
            code=one.code,
            source=SOURCE,
            tags=[lsp.DiagnosticTag.Unnecessary] if one.code in _UNNEEDED else None,
            related_information=[
                lsp.DiagnosticRelatedInformation(self._location(span), text)
                for span, text in related
            ]
            or None,
            data={"message": one.message, "help": str(one.help), "path": one.path},
        )

    def hints(self, uri: str, range: lsp.Range) -> list[lsp.InlayHint]:
        """The shape behind every layer of a range."""
        if not self.files.is_spec(uri):
            return []
        survey = self.files.survey(uri)
        lines, first, last = self._lines(survey), range.start.line, range.end.line
        return [
            lsp.InlayHint(
                lines.position(one.span.line, one.span.column),
                one.text,
                kind=lsp.InlayHintKind.Type,
                tooltip=one.detail or None,
                padding_left=True,
            )
            for one in hints(survey)
            if first <= one.span.line - 1 <= last
        ]

    def lenses(self, uri: str) -> list[lsp.CodeLens]:
        """The parameters of each network and block, above its name."""
        if not self.files.is_spec(uri):
            return []
        survey = self.files.survey(uri)
        lines = self._lines(survey)
        return [
            lsp.CodeLens(lines.range(one.span), command=lsp.Command(one.text, ""))
            for one in lenses(survey)
        ]

    def hover(self, uri: str, position: lsp.Position) -> lsp.Hover | None:
        """What stands at a position."""
        if not self.files.is_spec(uri):
            return None
        survey = self.files.survey(uri)
        lines = self._lines(survey)
        found = hover(survey, *lines.place(position))
        if found is None:
            return None
        return lsp.Hover(_markdown(found.text), lines.range(found.span))

    def completion(self, uri: str, position: lsp.Position) -> lsp.CompletionList:
        """What can be written at a position."""
        items: list[lsp.CompletionItem] = []
        if self.files.may_become_spec(uri):
            survey = self.files.survey(uri)
            lines = self._lines(survey)
            found = complete(survey, *lines.place(position))
            range = lines.range(found.span)
            items = [_item(one, range) for one in found.candidates]
        return lsp.CompletionList(is_incomplete=False, items=items)

    def resolved(self, item: lsp.CompletionItem) -> lsp.CompletionItem:
        """A completion with what is said of it, where that is long."""
        if isinstance(item.data, dict) and isinstance(item.data.get("op"), str):
            item.documentation = _markdown(op_text(item.data["op"]))
        return item

    def definition(self, uri: str, position: lsp.Position) -> list[lsp.Location]:
        """Where what is named at a position is declared."""
        if not self.files.is_spec(uri):
            return []
        survey = self.files.survey(uri)
        place = self._lines(survey).place(position)
        return [self._location(one) for one in declarations(survey, *place)]

    def references(
        self, uri: str, position: lsp.Position, declared: bool
    ) -> list[lsp.Location]:
        """Where what is named at a position is written, in the specs that are open too."""
        if not self.files.is_spec(uri):
            return []
        survey = self.files.survey(uri)
        place = self._lines(survey).place(position)
        found = [*occurrences(survey, *place)]
        name = self._block_at(survey, place)
        for _, other in self.files.other_surveys(uri) if name else ():
            found += users_of_block(other, survey.file.resolve(), name)
        kept = dict.fromkeys(o.span for o in found if declared or not o.declares)
        return [self._location(span) for span in kept]

    def _block_at(self, survey: Survey, place: tuple[int, int]) -> str:
        """The block of the file itself that is named at a place."""
        for one in declarations(survey, *place):
            own = one.file == survey.source.file
            for name in survey.unit.spec.blocks if own and survey.unit else ():
                if survey.merged.locate(("blocks", name), key=True) == one:
                    return name
        return ""

    def highlights(
        self, uri: str, position: lsp.Position
    ) -> list[lsp.DocumentHighlight]:
        """Where in the file what is named at a position is written."""
        if not self.files.is_spec(uri):
            return []
        survey = self.files.survey(uri)
        lines = self._lines(survey)
        return [
            lsp.DocumentHighlight(
                lines.range(one.span),
                lsp.DocumentHighlightKind.Write
                if one.declares
                else lsp.DocumentHighlightKind.Read,
            )
            for one in occurrences(survey, *lines.place(position))
            if one.span.file == survey.source.file
        ]

    def symbols(self, uri: str) -> list[lsp.DocumentSymbol]:
        """The parts of a file."""
        if not self.files.is_spec(uri):
            return []
        survey = self.files.survey(uri)
        lines = self._lines(survey)
        return [_symbol(one, lines) for one in outline(survey)]

    def renamable(self, uri: str, position: lsp.Position) -> lsp.Range:
        """The range of a name that can be another.

        Raises:
            RequestError: if it cannot; the message says why.
        """
        survey, lines = self._spec(uri)
        return lines.range(renamable(survey, *lines.place(position)))

    def rename(
        self, uri: str, position: lsp.Position, name: str, *, versions: bool
    ) -> lsp.WorkspaceEdit:
        """The edits by which what is named at a position has another name.

        Raises:
            RequestError: if that is not safe; the message says why.
        """
        survey, lines = self._spec(uri)
        others = [one for _, one in self.files.other_surveys(uri)]
        edits = rename(survey, *lines.place(position), name, others)
        return self._workspace_edit(edits, versions=versions)

    def _spec(self, uri: str) -> tuple[Survey, Lines]:
        if not self.files.is_spec(uri):
            raise RequestError("this is no spec")
        survey = self.files.survey(uri)
        return survey, self._lines(survey)

    def mends(
        self, uri: str, range: lsp.Range, *, versions: bool
    ) -> list[lsp.CodeAction]:
        """The replacements that the diagnostics of a range ask for."""
        if not self.files.is_spec(uri):
            return []
        survey = self.files.survey(uri)
        lines = self._lines(survey)
        found: list[lsp.CodeAction] = []
        for one in survey.diagnostics:
            change = mend(one, survey.source)
            if change is not None and _meet(lines.range(one.span), range):
                found.append(self._action(survey, one, change, versions=versions))
        return found

    def _action(
        self, survey: Survey, one: Diagnostic, change: Mend, *, versions: bool
    ) -> lsp.CodeAction:
        return lsp.CodeAction(
            change.title,
            kind=lsp.CodeActionKind.QuickFix,
            diagnostics=[self._diagnostic(survey, one)],
            is_preferred=True,
            edit=self._workspace_edit([change.edit], versions=versions),
        )

    def formatted(self, uri: str) -> list[lsp.TextEdit] | None:
        """The file in its canonical layout; None where it cannot be read."""
        if not self.files.is_spec(uri):
            return None
        survey = self.files.survey(uri)
        try:
            text = format_spec(survey.source, survey.limits)
        except SpecError:
            return None
        if text == survey.source.text:
            return []
        return [lsp.TextEdit(self._lines(survey).whole, text)]

    # Places.

    def _lines(self, survey: Survey) -> Lines:
        marked = survey.text.startswith("\ufeff")
        return Lines(survey.source, self._codec(), marked)

    def _location(self, span: Span) -> lsp.Location:
        uri = self.files.uri_of(span.file)
        file = self.files.file(uri)
        marked = file is not None and file.text.startswith("\ufeff")
        lines = Lines(self.files.source_of(span.file), self._codec(), marked)
        return lsp.Location(uri, lines.range(span))

    def _workspace_edit(
        self, edits: Iterable[Edit], *, versions: bool
    ) -> lsp.WorkspaceEdit:
        changes: dict[str, list[lsp.TextEdit]] = {}
        for one in edits:
            place = self._location(one.span)
            edit = lsp.TextEdit(place.range, one.text)
            changes.setdefault(place.uri, []).append(edit)
        if not versions:
            return lsp.WorkspaceEdit(changes=changes)
        return lsp.WorkspaceEdit(
            document_changes=[
                lsp.TextDocumentEdit(_versioned(self.files.file(uri), uri), [*found])
                for uri, found in changes.items()
            ]
        )


def _versioned(
    file: OpenFile | None, uri: str
) -> lsp.OptionalVersionedTextDocumentIdentifier:
    return lsp.OptionalVersionedTextDocumentIdentifier(
        uri, None if file is None else file.version
    )


def _markdown(text: str) -> lsp.MarkupContent:
    return lsp.MarkupContent(lsp.MarkupKind.Markdown, text)


def _item(one: Candidate, range: lsp.Range) -> lsp.CompletionItem:
    data: Mapping[str, str] | None = {"op": one.label} if one.sort == "op" else None
    return lsp.CompletionItem(
        one.label,
        kind=_KINDS[one.sort],
        detail=one.detail or None,
        documentation=_markdown(one.text) if one.text else None,
        sort_text=f"{_ORDER.get(one.sort, '1')}{one.label}",
        filter_text=one.label,
        text_edit=lsp.TextEdit(range, one.insert),
        data=data,
    )


def _symbol(one: OutlineItem, lines: Lines) -> lsp.DocumentSymbol:
    return lsp.DocumentSymbol(
        one.name,
        _PARTS[one.part],
        lines.range(one.whole),
        lines.range(one.key),
        detail=one.detail or None,
        children=[_symbol(inner, lines) for inner in one.inside],
    )


def _meet(one: lsp.Range, other: lsp.Range) -> bool:
    return one.start <= other.end and other.start <= one.end
