"""Where data is named in a spec: paths from there, and diagnostics that point there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.diagnostics.source import Span
from compiler.parse.document import Document


@dataclass(frozen=True)
class DataSection:
    """The `data:` of a task.

    Attributes:
        document: the spec, with the task as it is resolved.
        name: the data set's name.
        folder: what relative paths start from.
    """

    document: Document
    name: str
    folder: Path

    def path(self, written: str) -> Path:
        """The path that an option names."""
        return self.folder / Path(written).expanduser()

    def span(self, option: str = "") -> Span:
        """Where an option stands, or the data set's name."""
        path = ("task", "data", self.name)
        if option and self.document.node((*path, option)) is not None:
            return self.document.locate((*path, option))
        inside = self.document.node(path) is not None
        return (
            self.document.locate(path, key=True)
            if inside
            else self.document.locate(path[:-1])
        )

    def fail(
        self, code: str, message: str, option: str = "", help: str = ""
    ) -> NoReturn:
        """Give up, and blame an option.

        Raises:
            SpecError: always.
        """
        raise SpecError((Diagnostic(code, message, self.span(option), help=help),))

    def fail_in(
        self,
        code: str,
        file: Path,
        line: int,
        message: str,
        *,
        columns: tuple[int, int] = (1, 1),
        help: str = "",
    ) -> NoReturn:
        """Give up, and blame a line of a file of the data; lines and columns count from 1.

        Raises:
            SpecError: always.
        """
        span = Span(str(file), line, columns[0], line, columns[1])
        raise SpecError((Diagnostic(code, message, span, help=help),))
