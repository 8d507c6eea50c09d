"""A spec's page that follows its files: compiled again as one of them is saved."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from pathlib import Path

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import Diagnostic, RequestError, SpecError
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.read_source import read_source
from compiler.diagnostics.source import Source
from compiler.diagram.options import DiagramOptions
from compiler.page.page_data import PageData, failed_page, page_data
from compiler.program import Program

PERIOD = 0.25
"""Seconds between two looks at the files."""
_RETRY = 4  # looks: while a spec is wrong, a file that it misses may appear

Compile = Callable[[], Program]
_Stamp = tuple[int, int, int]


@dataclass
class LivePage:
    """The page of a spec, and how often it has changed."""

    spec: Path
    compile: Compile
    """Compiles the spec. Raises SpecError or RequestError."""
    limits: Limits
    options: DiagramOptions = field(default_factory=DiagramOptions)
    version: int = 0
    _page: PageData | None = None
    _last_good: PageData | None = None
    _stamps: dict[str, _Stamp | None] = field(default_factory=dict)
    _looks: int = 0
    _wrong: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _ended: bool = False
    _listeners: int = 0

    def __post_init__(self) -> None:
        self._renew()

    @property
    def page(self) -> PageData:
        """What is shown now, with the number of its version."""
        with self._changed:
            assert self._page is not None
            shown = self._page.shown | {"version": self.version}
            return replace(self._page, shown=shown)

    def place(self, file: int) -> Path | None:
        """The path of a file of the page, by its number; None if it has no such file."""
        files = self.page.files
        return Path(files[file]).resolve() if 0 <= file < len(files) else None

    def wait(self, known: int, seconds: float) -> int | None:
        """The version, once it is another than a known one, or after so many seconds; None when nothing follows."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or self.version != known, seconds
            )
            return None if self._ended else self.version

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While someone waits for changes, and passes them on."""
        with self._changed:
            self._listeners += 1
        try:
            yield
        finally:
            with self._changed:
                self._listeners -= 1
                self._changed.notify_all()

    def end(self, seconds: float = 1.0) -> None:
        """Let all that wait go on, for nothing follows; returns once they have, or after so many seconds."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._listeners == 0, seconds)

    def follow(self) -> None:
        """Look at the files again and again, until interrupted."""
        while True:
            time.sleep(PERIOD)
            self.look()

    def look(self) -> bool:
        """Compile again if a file has changed; returns whether the page has."""
        self._looks += 1
        retried = self._wrong and self._looks % _RETRY == 0
        if not retried and all(
            _stamp(name) == stamp for name, stamp in self._stamps.items()
        ):
            return False
        return self._renew()

    def _renew(self) -> bool:
        """Compile, and show what came of it."""
        known = [str(self.spec), *self._stamps]
        stamps = {name: _stamp(name) for name in known}  # before they are read
        try:
            program = self.compile()
            found = page_data(
                program.marked, self.options, program.sources, program.warnings
            )
            stamps = {name: stamps.get(name, _stamp(name)) for name in found.files}
            self._wrong, self._last_good = False, found
        except SpecError as error:
            found = self._failed(known, error.diagnostics)
        except RequestError as error:
            found = self._failed(known, (), str(error))
        self._stamps = stamps
        with self._changed:
            if self._page is not None and found == self._page:
                return False
            self._page = found
            self.version += 1
            self._changed.notify_all()
        return True

    def _failed(
        self,
        known: Sequence[str],
        diagnostics: tuple[Diagnostic, ...],
        message: str = "",
    ) -> PageData:
        self._wrong = True
        names = dict.fromkeys((*known, *(one.span.file for one in diagnostics)))
        sources = {
            name: found for name in names if (found := self._read(name)) is not None
        }
        return failed_page(
            self._last_good, str(self.spec), sources, diagnostics, message
        )

    def _read(self, name: str) -> Source | None:
        try:
            return replace(read_source(Path(name), self.limits.bytes), file=name)
        except SpecError:  # the diagnostics say why
            return None


def _stamp(name: str) -> _Stamp | None:
    """What changes when a file is saved; None where there is none."""
    try:
        found = Path(name).stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
