"""`serve`: a spec's diagram in the browser, drawn again as the file is saved."""

from __future__ import annotations

import shlex
import shutil
import tempfile
import threading
import webbrowser
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.limits import UNLIMITED, Limits
from layergraph.commands._options import NoLimits, Sets, Spec, Variant
from layergraph.overrides import compile_chosen


def serve(
    spec: Spec,
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, metavar="N", help="Port; 0: any that is free."),
    ] = 0,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Do not open a browser.")
    ] = False,
    editor: Annotated[
        str,
        typer.Option(
            metavar="COMMAND",
            help="Command that opens a clicked line, such as 'code -g {file}:{line}'.",
        ),
    ] = "",
    variant: Variant = "",
    sets: Sets = None,
    no_limits: NoLimits = False,
) -> None:
    """Show a spec's diagram in the browser; redraw it on each save.

    The page is on 127.0.0.1 alone, at an address with a random token. Errors are shown at their lines, beside the
    last diagram that could be drawn. Ctrl-C ends it.

    Example: layergraph serve specs/gpt2.yaml --editor 'code -g {file}:{line}'
    """
    from layergraph.preview.live_page import LivePage
    from layergraph.preview.page_server import PageServer

    command = _editor(editor)
    limits = UNLIMITED if no_limits else Limits()
    compiled = partial(
        compile_chosen, spec, variant, sets or (), limits=limits, strict=False
    )
    live = LivePage(spec, compiled, limits)
    with ExitStack() as stack:
        server = stack.enter_context(PageServer(live, port, command))
        stack.callback(live.end)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.shutdown)
        typer.echo(f"{spec} at {server.address} (Ctrl-C ends)")
        try:
            if not no_open:
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                _open_browser(server.address, Path(folder))
            live.follow()
        except KeyboardInterrupt:
            typer.echo()


def _editor(written: str) -> list[str]:
    """The editor's command as arguments.

    Raises:
        RequestError: if it is no command, or has no place for the file.
    """
    try:
        parts = shlex.split(written)
    except ValueError as error:
        raise RequestError(f"--editor: {error}") from None
    if not parts:
        return []
    if not any("{file}" in part for part in parts[1:]):
        raise RequestError("--editor needs {file}: 'code -g {file}:{line}'")
    if shutil.which(parts[0]) is None:
        raise RequestError(f"--editor: there is no program {parts[0]}")
    return parts


def _open_browser(address: str, folder: Path) -> None:
    """Open a browser by a file that leads to the page: other users could read an address among its arguments."""
    file = folder / "open.html"
    file.touch(mode=0o600)
    file.write_text(f'<meta http-equiv="refresh" content="0;url={address}">', "utf-8")
    webbrowser.open(file.as_uri())
