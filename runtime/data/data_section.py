"""The `data:` section of a task: resolves its paths, and reports errors at its options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.diagnostics.source import Span
from compiler.parse.document import Document
from runtime.data.find_file import find_file


@dataclass(frozen=True)
class DataSection:
    """The `data:` section of a task.

    Attributes:
        document: the spec, with its task resolved.
        name: name of the data set.
        folder: base of relative paths.
    """

    document: Document
    name: str
    folder: Path

    def path(self, written: str) -> Path:
        """The path that an option names."""
        return find_file(self.folder, written)

    def span(self, option: str = "") -> Span:
        """The position of an option's value; without it, of the data set's name."""
        path = ("task", "data", self.name)
        if option and self.document.node((*path, option)) is not None:
            return self.document.locate((*path, option))
        if self.document.node(path) is not None:
            return self.document.locate(path, key=True)
        return self.document.locate(path[:-1])

    def fail(
        self, code: str, message: str, option: str = "", help: str = ""
    ) -> NoReturn:
        """Report an error at an option.

        Raises:
            SpecError: always.
        """
        raise SpecError((Diagnostic(code, message, self.span(option), help=help),))

    def fail_at(self, path: tuple[str, ...], code: str, message: str) -> NoReturn:
        """Report an error at a path in the task, outside of the data.

        Raises:
            SpecError: always.
        """
        span = self.document.locate(("task", *path))
        raise SpecError((Diagnostic(code, message, span),))

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
        """Report an error in a data file; line and columns count from 1.

        Raises:
            SpecError: always.
        """
        span = Span(str(file), line, columns[0], line, columns[1])
        raise SpecError((Diagnostic(code, message, span, help=help),))
