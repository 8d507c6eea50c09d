"""The extension for Sphinx: `extensions = ["layergraph.sphinx"]`, and then `.. layergraph:: specs/gpt2.yaml`.

Code and tables become nodes of the document when it is read. Diagrams and pages are drawn when it is written, for what
they are depends on what the document becomes.
"""

from __future__ import annotations

import hashlib
import typing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.config import ENUM
from sphinx.directives.code import container_wrapper
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger
from sphinx.util.osutil import relative_uri

import layergraph
from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.text import printable
from compiler.diagram.drawing import ThemeName
from compiler.write_files import write_whole
from layergraph.documents.figure import OPTIONS, Figure, read_figure
from layergraph.documents.show_figure import Result, show_figure
from layergraph.documents.shown import Medium, Shown
from layergraph.documents.to_html import page_html, svg_html
from layergraph.documents.to_latex import tikz_latex

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

_LOG: Final = getLogger(__name__)
_DRAWN: Final = {"diagram", "html"}
"""The views that differ by what the document becomes."""


class LayerGraphFigure(nodes.General, nodes.Element):
    """A view that is drawn when the document is written.

    It has the `figure`, the `folder` of the document, the one of results that are `kept`, and its `number`.
    """


class LayerGraphDirective(SphinxDirective):
    """A view of a spec; its options are the fields of `Figure`."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = dict.fromkeys(OPTIONS, directives.unchanged)

    def run(self) -> list[nodes.Node]:
        """The nodes of the view, which depend on the files of the spec."""
        try:
            style = {"style": self.env.config.layergraph_style}
            figure = read_figure(self.arguments[0], style | self.options)
        except RequestError as error:
            raise self.error(str(error)) from None
        folder = Path(self.env.doc2path(self.env.docname)).parent
        if figure.spec.startswith("/"):
            folder = Path(self.env.srcdir)
            figure = replace(figure, spec=figure.spec.lstrip("/"))
        kept = Path(self.env.doctreedir) / "layergraph"
        found = show_figure(figure, folder, "html", kept)
        for file in found.files:
            self.env.note_dependency(str(file.resolve()))
        self._warn(found)
        if figure.view in _DRAWN:
            number = self.env.new_serialno("layergraph")
            drawn = LayerGraphFigure(
                figure=figure, folder=folder, kept=kept, number=number
            )
            return [self._framed(figure, drawn)]
        if found.shown.kind == "table":
            return [self._table(figure, found.shown)]
        return [self._code(figure, found.shown)]

    def _warn(self, found: Result) -> None:
        for one in found.problems:
            _LOG.warning(
                "%s",
                printable(one.message),
                location=printable(one.at) if one.at else self.get_location(),
                type="layergraph",
                subtype=one.code,
            )

    def _framed(self, figure: Figure, content: nodes.Element) -> nodes.Element:
        framed = nodes.figure("", content, align=figure.align)
        self._named(figure, framed)
        if figure.caption:
            text, messages = self.parse_inline(figure.caption)
            framed += nodes.caption(figure.caption, "", *text)
            framed += messages
        return framed

    def _table(self, figure: Figure, shown: Shown) -> nodes.Element:
        made = _table(shown)
        self._named(figure, made)
        if figure.caption:
            text, messages = self.parse_inline(figure.caption)
            made.insert(0, nodes.title(figure.caption, "", *text))
            made += messages
        return made

    def _code(self, figure: Figure, shown: Shown) -> nodes.Element:
        code: nodes.Element = _code(shown)
        if figure.caption:
            code = container_wrapper(self, code, figure.caption)
        self._named(figure, code)
        return code

    def _named(self, figure: Figure, node: nodes.Element) -> None:
        self.set_source_info(node)
        if figure.name:
            self.add_name(node)


def _draw(app: Sphinx, document: nodes.document, name: str) -> None:
    """Draw the figures of a document that is written, in the form that the builder takes."""
    for node in list(document.findall(LayerGraphFigure)):
        figure: Figure = node["figure"]
        if app.builder.name == "epub":  # its readers run no scripts
            figure = replace(figure, view="diagram")
        shown = show_figure(figure, node["folder"], _medium(app), node["kept"]).shown
        match shown.kind:
            case "svg":
                html = svg_html(shown, figure, f"layergraph-{node['number']}-")
                drawn: nodes.Element = nodes.raw("", html, format="html")
            case "page":
                html = page_html(shown, figure, _write_page(app, name, shown.text))
                drawn = nodes.raw("", html, format="html")
            case "tikz":
                drawn = nodes.raw("", tikz_latex(shown, figure), format="latex")
            case _:
                drawn = _code(shown)
        node.replace_self(drawn)


def _write_page(app: Sphinx, document: str, page: str) -> str:
    """Write a page beside the pictures; returns where it is for a document."""
    name = f"layergraph-{hashlib.sha256(page.encode()).hexdigest()[:16]}.html"
    write_whole({Path(app.builder.outdir) / "_images" / name: page})
    return relative_uri(app.builder.get_target_uri(document), f"_images/{name}")


def _medium(app: Sphinx) -> Medium:
    match app.builder.format:
        case "html" | "latex" as known:
            return known
    return "text"


def _code(shown: Shown) -> nodes.literal_block:
    return nodes.literal_block(shown.text, shown.text, language=shown.language)


def _table(shown: Shown) -> nodes.table:
    columns = len(shown.rows[0])
    group = nodes.tgroup(cols=columns)
    group += [nodes.colspec(colwidth=1) for _ in range(columns)]
    if shown.columns:
        group += nodes.thead("", _row(shown.columns))
    group += nodes.tbody("", *map(_row, shown.rows))
    return nodes.table("", group)


def _row(cells: tuple[str, ...]) -> nodes.row:
    entries = (nodes.entry("", nodes.paragraph(cell, cell)) for cell in cells)
    return nodes.row("", *entries)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the directive."""
    app.add_node(LayerGraphFigure)
    app.add_directive("layergraph", LayerGraphDirective)
    styles = typing.get_args(ThemeName)
    app.add_config_value("layergraph_style", "auto", "env", ENUM(*styles))
    app.connect("doctree-resolved", _draw)
    app.add_latex_package("tikz")
    return {
        "version": layergraph.__version__,
        "env_version": 1,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
