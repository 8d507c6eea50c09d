"""`lsp`: the language server, for editors."""

from __future__ import annotations

from compiler.diagnostics.extras import needs_extra


def lsp() -> None:
    """Run the language server, which an editor starts.

    They talk over standard input and output: errors while you type, the shape behind every layer, completion, hover,
    definitions, rename, quick fixes.
    docs/editors.md says how to set up VS Code, Neovim, Helix and Emacs.

    Example: layergraph lsp
    """
    with needs_extra("lsp"):
        from layergraph.lsp.server import make_server
    make_server().start_io()
