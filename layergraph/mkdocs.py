"""The plugin for MkDocs: `plugins: [search, layergraph]`, and then fences with the language `layergraph`.

```layergraph
spec: specs/gpt2.yaml
depth: 1
```

Besides `spec`, the keys are the options of `Figure`.
"""

from __future__ import annotations

import hashlib
import re
import typing
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from markdown import Extension, Markdown
from markdown.preprocessors import Preprocessor
from mkdocs.config import base, config_options
from mkdocs.plugins import BasePlugin, get_plugin_logger
from mkdocs.utils import get_relative_url

from compiler.diagnostics.diagnostic import RequestError, SpecError
from compiler.diagnostics.source import Source
from compiler.diagnostics.text import printable
from compiler.diagram.drawing import ThemeName
from compiler.parse.document import ScalarNode, SequenceNode, YamlNode
from compiler.parse.parse import parse
from compiler.write_files import write_whole
from layergraph.documents.figure import Figure, read_figure
from layergraph.documents.show_figure import Problem, show_figure
from layergraph.documents.shown import Shown
from layergraph.documents.to_html import page_html, svg_html, table_html

if TYPE_CHECKING:
    from collections.abc import Callable

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.livereload import LiveReloadServer
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_LOG: Final = get_plugin_logger("layergraph")
_PAGES: Final = "assets/layergraph"
"""The folder of the site for pages of specs."""
_OPENING: Final = re.compile(r"(?P<indent>[ >]*)(?P<fence>`{3,}|~{3,})[ ]*(?P<info>.*)")
_PRIORITY: Final = 28  # before fenced code (25), after lines are normal (30)


class LayerGraphConfig(base.Config):
    """The options of the plugin in mkdocs.yml."""

    style = config_options.Choice(typing.get_args(ThemeName), default="auto")
    cache_dir = config_options.Type(str, default=".cache/plugin/layergraph")


class LayerGraphPlugin(BasePlugin[LayerGraphConfig]):
    """Shows what fences name, and watches the files that they depend on."""

    def __init__(self) -> None:
        self._watched: set[Path] = set()
        self._server: LiveReloadServer | None = None
        self._pages: dict[str, str] = {}
        self._page: Page | None = None
        self._number = self._above = 0
        """Pictures of the page so far, and the lines above its text."""

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        """Add the fences to Markdown."""
        self._root = Path(config.config_file_path or ".").resolve().parent
        self._docs = Path(config.docs_dir)
        self._kept = self._root / self.config.cache_dir
        self._pages = {}
        # MkDocs declares names alone; Markdown takes extensions as well.
        config.markdown_extensions.append(_Fences(self))
        return config

    def on_page_markdown(
        self, markdown: str, /, *, page: Page, config: MkDocsConfig, files: Files
    ) -> str:
        """Note which page is converted next."""
        self._page, self._number = page, 0
        whole = page.file.content_string
        self._above = whole[: max(whole.find(markdown), 0)].count("\n")
        return markdown

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        """Write the pages of specs."""
        site = Path(config.site_dir)
        write_whole({site / name: page for name, page in self._pages.items()})

    def on_serve(
        self,
        server: LiveReloadServer,
        /,
        *,
        config: MkDocsConfig,
        builder: Callable[..., None],
    ) -> LiveReloadServer:
        """Watch the files of all specs."""
        self._server, found = server, self._watched
        self._watched = set()
        self._watch(found)
        return server

    def _watch(self, files: set[Path]) -> None:
        for file in sorted(files - self._watched):
            if self._server is not None:
                self._server.watch(str(file))
        self._watched |= files

    def shown(self, body: str, line: int) -> str | Shown:
        """A fence as HTML, or as code that Markdown is to show.

        Args:
            line: the fence's, from 1, in what is converted.
        """
        assert self._page is not None
        source = Source(self._page.file.src_uri, "\n" * (self._above + line) + body)
        at = f"{source.file}:{self._above + line}"
        try:
            figure = _read_fence(source, self.config.style)
        except (SpecError, RequestError) as error:
            problems = (
                [
                    Problem(one.code, one.message, one.span.at)
                    for one in error.diagnostics
                ]
                if isinstance(error, SpecError)
                else [Problem("request", str(error), at)]
            )
            self._warn(problems)
            return Shown("code", f"error: {error}", "text")
        folder = (self._docs / source.file).parent
        if figure.spec.startswith("/"):
            folder, figure = self._root, replace(figure, spec=figure.spec.lstrip("/"))
        found = show_figure(figure, folder, "html", self._kept)
        self._watch({one.resolve() for one in found.files})
        self._warn(replace(one, at=one.at or at) for one in found.problems)
        if found.shown.kind == "code":
            return found.shown
        return _framed(figure, self._html(figure, found.shown))

    def _warn(self, problems: Iterable[Problem]) -> None:
        for one in problems:
            _LOG.warning("%s: %s", printable(one.at), printable(one.message))

    def _html(self, figure: Figure, shown: Shown) -> str:
        assert self._page is not None
        if shown.kind == "table":
            return table_html(shown)
        if shown.kind == "svg":
            self._number += 1
            return svg_html(shown, figure, f"layergraph-{self._number}-")
        digest = hashlib.sha256(shown.text.encode()).hexdigest()[:16]
        name = f"{_PAGES}/{digest}.html"
        self._pages[name] = shown.text
        return page_html(shown, figure, get_relative_url(name, self._page.url))


def _framed(figure: Figure, html: str) -> str:
    """A figure with its caption. The search leaves out the words in a picture, which are those of a diagram."""
    name = f' id="{escape(figure.name)}"' if figure.name else ""
    below = (
        f"<figcaption>{escape(figure.caption)}</figcaption>" if figure.caption else ""
    )
    style = f"display:block;width:100%;max-width:100%;overflow-x:auto;text-align:{figure.align}"
    inside = f"<div data-search-exclude>{html}</div>{below}"
    return f'<figure class="layergraph-figure" style="{style}"{name}>{inside}</figure>'


def _read_fence(source: Source, style: str) -> Figure:
    """The figure that a fence describes.

    Raises:
        SpecError: with the place in the page.
    """
    root = parse(source).root
    options = {"style": style}
    options |= {key.text: _text(value) for key, value in root.entries}
    spec = options.pop("spec", "")
    return read_figure(spec, options)


def _text(node: YamlNode) -> str:
    if isinstance(node, ScalarNode):
        return node.text
    if isinstance(node, SequenceNode):
        return "\n".join(map(_text, node.items))
    return ""


class _Fences(Extension):
    """Markdown's fences with the language `layergraph`."""

    def __init__(self, plugin: LayerGraphPlugin) -> None:
        super().__init__()
        self._plugin = plugin

    def extendMarkdown(self, md: Markdown) -> None:
        """Put the fences before those of code."""
        fences = _FencePreprocessor(md, self._plugin)
        md.preprocessors.register(fences, "layergraph", _PRIORITY)


class _FencePreprocessor(Preprocessor):
    def __init__(self, md: Markdown, plugin: LayerGraphPlugin) -> None:
        super().__init__(md)
        self._md, self._plugin = md, plugin

    def run(self, lines: list[str]) -> list[str]:
        """The lines with what the fences show; those in a fence of another language are text."""
        found: list[str] = []
        at = 0
        while at < len(lines):
            opening = _OPENING.fullmatch(lines[at])
            if opening is None:
                found.append(lines[at])
                at += 1
                continue
            end = _closing(lines, at, opening["fence"])
            if opening["info"].strip() == "layergraph":
                found += self._fence(lines[at + 1 : end], opening["indent"], at + 1)
            else:
                found += lines[at : end + 1]
            at = end + 1
        return found

    def _fence(self, lines: list[str], indent: str, line: int) -> Iterator[str]:
        body = "\n".join(one.removeprefix(indent) for one in lines)
        shown = self._plugin.shown(body, line)
        if isinstance(shown, str):
            yield from ("", f"{indent}{self._md.htmlStash.store(shown)}", "")
            return
        ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", shown.text)), default=0))
        text = shown.text.rstrip("\n").split("\n")
        for one in (f"{ticks}{shown.language}", *text, ticks):
            yield f"{indent}{one}"


def _closing(lines: list[str], opening: int, fence: str) -> int:
    """The line that ends a fence, or the last."""
    closing = re.compile(rf"[ >]*{re.escape(fence)}{re.escape(fence[0])}*[ ]*")
    for at in range(opening + 1, len(lines)):
        if closing.fullmatch(lines[at]):
            return at
    return len(lines) - 1
