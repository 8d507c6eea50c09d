"""An error in what a document says at some place: made where only the value is known, and placed later."""

from __future__ import annotations

from dataclasses import replace

from compiler.dataclass import dataclass
from compiler.diagnostics.source import Span
from compiler.parse.document import Document

Path = tuple[str | int, ...]


@dataclass
class PathError(Exception):
    """An error in a value, at a path below it.

    Attributes:
        code: the code of its diagnostic.
        message: what is wrong.
        path: from the value to what is wrong in it.
        key: whether the key at the end of the path is wrong, not the value there.
        help: what to do.
        offsets: the part of the text at the path that is wrong; None for all of it.
        missing: the name that nothing has, where that is what is wrong.
    """

    code: str
    message: str
    path: Path = ()
    key: bool = False
    help: str = ""
    offsets: tuple[int, int] | None = None
    missing: str = ""

    def below(self, *steps: str | int) -> PathError:
        """The same error in a value that holds this one."""
        return replace(self, path=(*steps, *self.path))

    def span(self, document: Document, path: Path) -> Span:
        """Where it is, in a document that has the value at this path."""
        whole = (*path, *self.path)
        if self.offsets is not None:
            return document.part(whole, *self.offsets)
        return document.locate(whole, self.key)
