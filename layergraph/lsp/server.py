"""The language server: requests of an editor to `Replies`, and diagnostics when a text comes to rest."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.workspace import PositionCodec

from compiler.diagnostics.diagnostic import RequestError
from layergraph import __version__
from layergraph.lsp.open_files import OpenFiles
from layergraph.lsp.replies import Replies

REST: Final = 0.1
"""Seconds without a change after which diagnostics are sent."""
_REFUSED: Final = -32803  # RequestFailed of the protocol
_TRIGGERS: Final = [".", ":", " ", "[", "{", ",", "$"]


class SpecServer(LanguageServer):
    """A server of one editor.

    Texts are sent whole with each change, so that no line break of another kind than the protocol's can put one out of
    step with the editor.
    """

    def __init__(self) -> None:
        full = lsp.TextDocumentSyncKind.Full
        super().__init__("layergraph", __version__, text_document_sync_kind=full)
        self.files = OpenFiles()
        self.replies = Replies(self.files, self._codec)
        self._waiting: asyncio.TimerHandle | None = None
        self._pending: dict[str, None] = {}
        self._shown: set[str] = set()

    def _codec(self) -> PositionCodec:
        return self.workspace.position_codec

    @property
    def versions(self) -> bool:
        """Whether the editor takes edits that name the version they are for."""
        workspace = self.client_capabilities.workspace
        edit = workspace.workspace_edit if workspace else None
        return bool(edit and edit.document_changes)

    def settings(self, options: object) -> None:
        """Take settings: `files`, patterns of the paths of specs."""
        given = options if isinstance(options, dict) else {}
        given = given.get("layergraph", given)
        files = given.get("files", []) if isinstance(given, dict) else []
        if isinstance(files, list):
            self.files.patterns = tuple(one for one in files if isinstance(one, str))

    def changed(self, uri: str) -> None:
        """Send the diagnostics of a file, and of those that read it, once it has come to rest."""
        self._pending[uri] = None
        if self._waiting is not None:
            self._waiting.cancel()
        self._waiting = asyncio.get_running_loop().call_later(REST, self.show)

    def show(self) -> None:
        """Send the diagnostics of what was changed; then of all others that know it as it was."""
        pending, self._pending, self._waiting = [*self._pending], {}, None
        stale = [
            uri
            for uri in self.files.uris()
            if uri not in pending and not self.files.is_current(uri)
        ]
        for uri in (*pending, *stale):
            self._send(uri)
        if any(uri in self._shown for uri in stale):
            self._refresh()

    def _send(self, uri: str) -> None:
        file = self.files.file(uri)
        spec = file is not None and self.files.is_spec(uri)
        if not spec and uri not in self._shown:
            return
        found = self.replies.diagnostics(uri)
        self._shown.add(uri)
        version = None if file is None else file.version
        params = lsp.PublishDiagnosticsParams(uri, found, version)
        self.text_document_publish_diagnostics(params)

    def _refresh(self) -> None:
        """Ask the editor to ask again for what depends on a file that was changed."""
        workspace = self.client_capabilities.workspace
        hint = workspace.inlay_hint if workspace else None
        lens = workspace.code_lens if workspace else None
        if hint is not None and hint.refresh_support:
            self.workspace_inlay_hint_refresh(None)
        if lens is not None and lens.refresh_support:
            self.workspace_code_lens_refresh(None)


def make_server() -> SpecServer:
    """A server with all that it answers."""
    server = SpecServer()
    _register_files(server)
    _register_answers(server)
    _register_edits(server)
    return server


def _register_files(server: SpecServer) -> None:
    @server.feature(lsp.INITIALIZE)
    def initialize(params: Any) -> None:
        if isinstance(params, lsp.InitializeParams):
            server.settings(params.initialization_options)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configured(params: lsp.DidChangeConfigurationParams) -> None:
        server.settings(params.settings)
        for uri in server.files.uris():
            server.changed(uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        file = params.text_document
        server.files.put(file.uri, file.text, file.version)
        server.changed(file.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        text = server.workspace.get_text_document(uri).source
        server.files.put(uri, text, params.text_document.version)
        server.changed(uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        server.changed(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        server.files.close(params.text_document.uri)
        server.changed(params.text_document.uri)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(params: lsp.DidChangeWatchedFilesParams) -> None:
        server.files.forget()
        for uri in server.files.uris():
            server.changed(uri)


def _register_answers(server: SpecServer) -> None:
    replies = server.replies

    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    def hints(params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        return replies.hints(params.text_document.uri, params.range)

    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)
    def lenses(params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        return replies.lenses(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    def hover(params: lsp.HoverParams) -> lsp.Hover | None:
        return replies.hover(params.text_document.uri, params.position)

    options = lsp.CompletionOptions(_TRIGGERS, resolve_provider=True)

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, options)
    def completion(params: lsp.CompletionParams) -> lsp.CompletionList:
        return replies.completion(params.text_document.uri, params.position)

    @server.feature(lsp.COMPLETION_ITEM_RESOLVE)
    def resolve(item: lsp.CompletionItem) -> lsp.CompletionItem:
        return replies.resolved(item)

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    def definition(params: lsp.DefinitionParams) -> list[lsp.Location]:
        return replies.definition(params.text_document.uri, params.position)

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    def references(params: lsp.ReferenceParams) -> list[lsp.Location]:
        declared = params.context.include_declaration
        return replies.references(params.text_document.uri, params.position, declared)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlights(
        params: lsp.DocumentHighlightParams,
    ) -> list[lsp.DocumentHighlight]:
        return replies.highlights(params.text_document.uri, params.position)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        return replies.symbols(params.text_document.uri)


def _register_edits(server: SpecServer) -> None:
    replies = server.replies

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare(params: lsp.PrepareRenameParams) -> lsp.Range:
        try:
            return replies.renamable(params.text_document.uri, params.position)
        except RequestError as error:
            raise JsonRpcException(str(error), _REFUSED) from error

    options = lsp.RenameOptions(prepare_provider=True)

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, options)
    def rename(params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        uri, versions = params.text_document.uri, server.versions
        try:
            return replies.rename(
                uri, params.position, params.new_name, versions=versions
            )
        except RequestError as error:
            raise JsonRpcException(str(error), _REFUSED) from error

    fixes = lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix])

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, fixes)
    def mends(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri = params.text_document.uri
        return replies.mends(uri, params.range, versions=server.versions)

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    def formatted(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        return replies.formatted(params.text_document.uri)
