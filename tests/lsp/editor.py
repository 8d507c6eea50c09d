"""An editor: pygls' own client, with a server in a process of its own, called from plain tests."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as NoAnswer
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

_T = TypeVar("_T")
_PATIENCE = 60


class Editor:
    """Opens files at a server, types in them, and asks about them.

    A place is written in the text as `|`, which is taken out of it.
    """

    def __init__(self, **settings: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.client = LanguageClient("tests", "1")
        self._sent: dict[str, list[lsp.PublishDiagnosticsParams]] = {}
        self._news = threading.Condition()
        self.versions: dict[str, int] = {}
        self.client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(
            lambda params: self._published(params)
        )
        self.client.feature(lsp.WORKSPACE_INLAY_HINT_REFRESH)(lambda *_: None)
        command = [sys.executable, "-m", "layergraph", "lsp"]
        self.run(self.client.start_io(*command))
        self.capabilities = self._initialize(**settings).capabilities

    def _initialize(
        self,
        encodings: list[Any] | None = None,
        files: list[str] | None = None,
        changes: bool = True,
    ) -> lsp.InitializeResult:
        edits = lsp.WorkspaceEditClientCapabilities(document_changes=changes)
        workspace = lsp.WorkspaceClientCapabilities(
            workspace_edit=edits,
            inlay_hint=lsp.InlayHintWorkspaceClientCapabilities(refresh_support=True),
        )
        general = lsp.GeneralClientCapabilities(position_encodings=encodings)
        params = lsp.InitializeParams(
            capabilities=lsp.ClientCapabilities(workspace=workspace, general=general),
            initialization_options={"files": files or []},
        )
        found = self.run(self.client.initialize_async(params))
        self.client.initialized(lsp.InitializedParams())
        return found

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """The answer to a request."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)
        except NoAnswer:
            raise AssertionError("the server does not answer") from None

    def close(self) -> int | None:
        """End the server as an editor does; its exit code."""
        self.run(self.client.shutdown_async(None))
        self.client.exit(None)
        server = self.client._server
        assert server is not None
        code = self.run(server.wait())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        return code

    def _published(self, params: lsp.PublishDiagnosticsParams) -> None:
        with self._news:
            self._sent.setdefault(params.uri, []).append(params)
            self._news.notify_all()

    def open(self, path: Path | str, text: str) -> str:
        """Open a text as that of a file; its URI."""
        uri = path.absolute().as_uri() if isinstance(path, Path) else path
        self.versions[uri] = 1
        document = lsp.TextDocumentItem(uri, "yaml", 1, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(document))
        return uri

    def type(self, uri: str, text: str) -> int:
        """Give a file another text; its version."""
        self.versions[uri] += 1
        version = self.versions[uri]
        document = lsp.VersionedTextDocumentIdentifier(version, uri)
        whole = lsp.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(document, [whole])
        )
        return version

    def leave(self, uri: str) -> None:
        """Close a file."""
        document = lsp.TextDocumentIdentifier(uri)
        self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(document))

    def diagnostics(self, uri: str, version: int | None = None) -> list[lsp.Diagnostic]:
        """What was sent last of a version of a file, by default the present one; waits for it."""
        version = self.versions[uri] if version is None else version

        def there() -> bool:
            sent = self._sent.get(uri, [])
            return any(one.version == version for one in sent)

        with self._news:
            assert self._news.wait_for(there, _PATIENCE), "no diagnostics were sent"
            return list(self._sent[uri][-1].diagnostics)

    def next(self, uri: str, after: int) -> list[lsp.Diagnostic]:
        """What is sent of a file after some number of times."""
        with self._news:
            more = self._news.wait_for(
                lambda: len(self._sent.get(uri, [])) > after, _PATIENCE
            )
            assert more, "no diagnostics were sent"
            return list(self._sent[uri][-1].diagnostics)

    def times(self, uri: str) -> int:
        """How often diagnostics of a file were sent."""
        with self._news:
            return len(self._sent.get(uri, []))

    # Requests.

    def hints(self, uri: str) -> dict[int, str]:
        """The hints by line, from 1."""
        whole = lsp.Range(lsp.Position(0, 0), lsp.Position(100_000, 0))
        params = lsp.InlayHintParams(lsp.TextDocumentIdentifier(uri), whole)
        found = self.run(self.client.text_document_inlay_hint_async(params)) or []
        return {one.position.line + 1: str(one.label) for one in found}

    def hover(self, uri: str, place: lsp.Position) -> str:
        """What is said at a place; "" for nothing."""
        params = lsp.HoverParams(lsp.TextDocumentIdentifier(uri), place)
        found = self.run(self.client.text_document_hover_async(params))
        return "" if found is None else found.contents.value  # type: ignore[union-attr]

    def completion(self, uri: str, place: lsp.Position) -> list[lsp.CompletionItem]:
        """What can be written at a place."""
        params = lsp.CompletionParams(lsp.TextDocumentIdentifier(uri), place)
        found = self.run(self.client.text_document_completion_async(params))
        return list(getattr(found, "items", found) or [])

    def labels(self, uri: str, place: lsp.Position) -> list[str]:
        """The same, by name."""
        return [one.label for one in self.completion(uri, place)]

    def definition(self, uri: str, place: lsp.Position) -> list[lsp.Location]:
        """Where what is named at a place is declared."""
        params = lsp.DefinitionParams(lsp.TextDocumentIdentifier(uri), place)
        found = self.run(self.client.text_document_definition_async(params))
        return found or []  # type: ignore[return-value]

    def references(self, uri: str, place: lsp.Position) -> list[lsp.Location]:
        """Where what is named at a place is written."""
        context = lsp.ReferenceContext(include_declaration=True)
        document = lsp.TextDocumentIdentifier(uri)
        params = lsp.ReferenceParams(context, document, place)
        found = self.run(self.client.text_document_references_async(params))
        return list(found or [])

    def rename(self, uri: str, place: lsp.Position, name: str) -> lsp.WorkspaceEdit:
        """The edits of a rename."""
        document = lsp.TextDocumentIdentifier(uri)
        params = lsp.RenameParams(document, place, name)
        found = self.run(self.client.text_document_rename_async(params))
        assert found is not None
        return found

    def actions(self, uri: str, range: lsp.Range) -> list[lsp.CodeAction]:
        """The quick fixes of a range."""
        context = lsp.CodeActionContext(diagnostics=[])
        document = lsp.TextDocumentIdentifier(uri)
        params = lsp.CodeActionParams(document, range, context)
        found = self.run(self.client.text_document_code_action_async(params))
        return list(found or [])  # type: ignore[arg-type]


def marked(text: str) -> tuple[str, lsp.Position]:
    """A text without its `|`, and the place of that in UTF-16 units."""
    before, _, after = text.partition("|")
    line = before.rpartition("\n")[2]
    units = len(line.encode("utf-16-le")) // 2
    return before + after, lsp.Position(before.count("\n"), units)


def written(text: str, edits: list[Any]) -> str:
    """A text with edits made, in UTF-16 units."""
    lines = text.split("\n")
    order = sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character))
    for edit in reversed(order):
        start, end = edit.range.start, edit.range.end
        first, last = lines[start.line], lines[end.line]
        head = first.encode("utf-16-le")[: 2 * start.character].decode("utf-16-le")
        tail = last.encode("utf-16-le")[2 * end.character :].decode("utf-16-le")
        lines[start.line : end.line + 1] = (head + edit.new_text + tail).split("\n")
    return "\n".join(lines)


def changed(edit: lsp.WorkspaceEdit, uri: str) -> list[Any]:
    """The edits of a file."""
    for one in edit.document_changes or []:
        assert isinstance(one, lsp.TextDocumentEdit)
        if one.text_document.uri == uri:
            return list(one.edits)
    return list((edit.changes or {}).get(uri, []))
