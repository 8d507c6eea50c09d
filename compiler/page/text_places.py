"""The texts that a page shows beside the picture, and places in them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.source import Source, Span
from compiler.diagnostics.text import INVISIBLE, escaped, printable
from compiler.diagram.links import link_to_file
from compiler.page.json_values import Json, JsonObject


class TextPlaces:
    """The files of a spec, the spec itself first; a place is the number of a file and its first and last line.

    Args:
        links: what comes before the file in links to it; "" for no links.
    """

    def __init__(
        self, main: str, sources: Mapping[str, Source], links: str = ""
    ) -> None:
        self._links = links
        others = [name for name in sources if name != main]
        self.names = [name for name in (main, *others) if name in sources]
        self._texts = [sources[name].text for name in self.names]
        self._numbers = {name: number for number, name in enumerate(self.names)}
        self._folder = Path(main).parent

    def of(self, key: Span, value: Span) -> Json:
        """The lines from a key to the end of its value; None in a file that is not shown."""
        number = self._numbers.get(value.file)
        if number is None:
            return None
        first = key.line if key.file == value.file else value.line
        # A value in block style ends where the next key starts.
        last = value.end_line - (value.end_column == 1 and value.end_line > first)
        return [number, first, max(first, last)]

    def files(self) -> list[Json]:
        """The names of the files, as seen from the spec's folder, and their texts without invisible characters."""
        pairs = zip(self.names, self._texts, strict=True)
        return [self._file(name, text) for name, text in pairs]

    def _file(self, name: str, text: str) -> JsonObject:
        found: JsonObject = {"name": self._shown(name), "text": _visible(text)}
        if self._links:
            found["link"] = link_to_file(self._links, name)
        return found

    def errors(self, diagnostics: tuple[Diagnostic, ...]) -> list[Json]:
        """Errors and warnings with their places."""
        return [self._error(one) for one in diagnostics]

    def _error(self, one: Diagnostic) -> JsonObject:
        return {
            "severity": one.severity,
            "code": one.code,
            "message": printable(one.message),
            "label": printable(one.label),
            "help": printable(one.help),
            "at": self.of(one.span, one.span),
            "column": one.span.column,
        }

    def _shown(self, name: str) -> str:
        """A name without the folders of the one who made the page."""
        relative = os.path.relpath(name, self._folder)
        outside = relative.startswith(os.pardir)
        return printable(Path(name).name if outside else Path(relative).as_posix())


def _visible(text: str) -> str:
    """A text with plain line breaks, its invisible characters written as escapes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return INVISIBLE.sub(lambda found: escaped(found[0]), text)
