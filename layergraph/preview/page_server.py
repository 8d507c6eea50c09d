"""Serves a live page on this machine alone, to those who have its address."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import subprocess
import sys
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from compiler.page.html_page import page_of
from layergraph.preview.live_page import LivePage

HOST: Final = "127.0.0.1"
_BEAT = 15.0  # seconds after which a reader that has gone is noticed
_MOST_ASKED = 200  # bytes of a request's body
_READ_SECONDS = 10  # a request that comes more slowly is dropped
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_LENGTH: Final = re.compile(r"[0-9]{1,3}")
_PLACES: Final = re.compile(r"\{(file|line)\}")


class PageServer(ThreadingHTTPServer):
    """Serves a page, its data, and word of its changes; opens an editor, if it was given one.

    It listens on 127.0.0.1 alone. Each request must have the token in its path, which is new for each server, and
    name this server as its host and, if any, as its origin: a page of another site, even under a name that leads
    here, gets nothing.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, live: LivePage, port: int = 0, editor: Sequence[str] = ()
    ) -> None:
        """A server that is not yet serving.

        Args:
            port: 0 for any that is free.
            editor: the command that opens a line, as arguments in which {file} and {line} stand for the place.

        Raises:
            OSError: if the port is taken.
        """
        super().__init__((HOST, port), _Handler)
        self.live, self.editor = live, tuple(editor)
        self.token = secrets.token_urlsafe(32)
        self.origin = f"http://{HOST}:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that has gone is no error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"{self.origin}/{self.token}/"

    def command(self, file: Path, line: int) -> list[str]:
        """The arguments that open a line in the editor."""
        places = {"file": str(file), "line": str(line)}
        return [_PLACES.sub(lambda at: places[at[1]], part) for part in self.editor]


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    server_version, sys_version = "LayerGraph", ""
    timeout = _READ_SECONDS

    def do_GET(self) -> None:
        """The page, its data, or word of its changes."""
        name = self._allowed()
        if name is None:
            return
        match name:
            case "":
                text = page_of(self.server.live.page, live=True)
                self._answer(text.encode(), "text/html; charset=utf-8")
            case "data":
                shown = self.server.live.page.shown
                shown = shown | {"editor": bool(self.server.editor)}
                self._answer(json.dumps(shown).encode(), "application/json")
            case "changes":
                self._tell_changes()
            case _:
                self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Open a line in the editor."""
        name = self._allowed()
        if name is None:
            return
        if name != "open" or not self.server.editor:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        if self.headers.get("Origin") != self.server.origin:
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        place = self._place()
        if place is None:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        self._open(*place)

    def _allowed(self) -> str | None:
        """What is asked for below the token; None, and an answer, where this must not be answered."""
        origin = self.headers.get("Origin")
        hosts = self.headers.get_all("Host") or []
        own = hosts == [self.server.origin.removeprefix("http://")]
        if not own or origin not in (None, self.server.origin):
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        path = self.path.partition("?")[0]
        token, slash, name = path.removeprefix("/").partition("/")
        known = hmac.compare_digest(
            token.encode("utf-8", "surrogateescape"), self.server.token.encode()
        )
        if not known or not slash:
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        if name and self.headers.get("Sec-Fetch-Site") not in (None, "same-origin"):
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        return name

    def _place(self) -> tuple[Path, int] | None:
        """The file and the line that are to be opened."""
        length = self.headers.get("Content-Length", "")
        if not _LENGTH.fullmatch(length) or int(length) > _MOST_ASKED:
            return None
        try:
            asked: Any = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            return None
        match asked:
            case {"file": int(file), "line": int(line)} if 0 < line < 10**9:
                path = self.server.live.place(file)
                return None if path is None else (path, line)
        return None

    def _open(self, file: Path, line: int) -> None:
        try:
            process = subprocess.Popen(
                self.server.command(file, line),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        self._answer(b"", "text/plain")
        process.wait()

    def _tell_changes(self) -> None:
        """Word of each new version, for as long as the reader listens."""
        self.send_response(HTTPStatus.OK)
        self._send_headers("text/event-stream")
        known: int | None = -1
        with self.server.live.listening():
            while known is not None:
                found = self.server.live.wait(known, _BEAT)
                word = ":" if found == known else f"data: {found or 'end'}"
                self.wfile.write(f"{word}\n\n".encode())
                self.wfile.flush()
                known = found

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self._send_headers(kind, len(body))
        self.wfile.write(body)

    def _refuse(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self._send_headers("text/plain", 0)

    def _send_headers(self, kind: str, length: int | None = None) -> None:
        headers = _HEADERS | {"Content-Type": kind}
        if length is not None:
            headers["Content-Length"] = str(length)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send_error(
        self, code: int, message: str | None = None, explain: str | None = None
    ) -> None:
        """An error without a page that would repeat what was asked."""
        self._refuse(HTTPStatus(code))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the token is part of what would be logged."""
