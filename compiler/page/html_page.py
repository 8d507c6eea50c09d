"""TypedGraph -> an HTML page: one file that loads nothing, with a diagram that folds beside the text of the spec."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template
from typing import Final

from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.source import Source
from compiler.diagram.options import DiagramOptions
from compiler.ir.typed import TypedGraph
from compiler.op.registry import families
from compiler.page.json_values import json_in_html
from compiler.page.page_data import PageData, page_data
from compiler.page.page_style import page_style

_DEFAULT = DiagramOptions()
_SCRIPTS: Final = (
    "dagre-3.1.3.min.js",
    "model.js",
    "measure.js",
    "arrows.js",
    "layout.js",
    "draw.js",
    "view.js",
    "details.js",
    "source.js",
    "search.js",
    "pointer.js",
    "keyboard.js",
    "main.js",
)


def html_page(
    typed: TypedGraph,
    options: DiagramOptions = _DEFAULT,
    sources: Mapping[str, Source] | None = None,
    warnings: tuple[Diagnostic, ...] = (),
) -> str:
    """The text of an HTML page that shows a graph.

    Args:
        options: what is open at first, and which part is shown.
        sources: the files of the spec, which are shown beside the picture; default: none.
        warnings: what is wrong beside the graph's own diagnostics.

    Raises:
        RequestError: if the spec has no such network or block.
    """
    return page_of(page_data(typed, options, sources or {}, warnings))


def page_of(data: PageData, *, live: bool = False) -> str:
    """The text of a page that shows the result of `page_data`.

    It holds its script and style and loads nothing; its content security policy allows these two alone.

    Args:
        live: whether a server keeps the page up to date, to which alone it may connect.
    """
    style = page_style(families() if live else data.families)
    script = _script(live)
    return Template(_asset("page.html")).substitute(
        policy=_policy(style, script, live),
        title=html.escape(data.title),
        style=style,
        data=json_in_html(data.shown),
        script=script,
    )


def _policy(style: str, script: str, live: bool) -> str:
    """Nothing is loaded, and nothing runs but the page's own script."""
    parts = [
        "default-src 'none'",
        f"script-src '{_hash(script)}'",
        f"style-src '{_hash(style)}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join([*parts, *(["connect-src 'self'"] if live else [])])


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _script(live: bool) -> str:
    names = (*_SCRIPTS, "live.js") if live else _SCRIPTS
    text = "\n".join(map(_asset, names))
    assert "</script" not in text and "<!--" not in text
    return text


@cache
def _asset(name: str) -> str:
    return files("compiler.page").joinpath("assets", name).read_text("utf-8")
