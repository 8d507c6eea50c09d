"""Diagnostics: codes and messages with places, the errors that carry them, and a collector."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Literal

from compiler.dataclass import dataclass
from compiler.diagnostics.codes import CODES
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import printable

Severity = Literal["error", "warning"]


_LONGEST_PATH, _PATH_END = 160, 60


@dataclass(frozen=True, slots=True)
class InstancePath:
    """The way to a layer: a network, then layers, each inside the one before, with the numbers of copies.

    >>> str(InstancePath(("ResNet",), (None,)).to("layer2", 0).to("sum"))
    'ResNet.layer2[0].sum'
    """

    layers: tuple[str, ...]
    copies: tuple[int | None, ...]

    def to(self, layer: str, copy: int | None = None) -> InstancePath:
        """The path of a layer inside."""
        return InstancePath((*self.layers, layer), (*self.copies, copy))

    def __str__(self) -> str:
        steps = zip(self.layers, self.copies, strict=True)
        text = ".".join(n if c is None else f"{n}[{c}]" for n, c in steps)
        if len(text) <= _LONGEST_PATH:
            return text
        return f"{text[:_PATH_END]} … {text[-_PATH_END:]}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem at one place.

    `label` is printed after the carets, `path` leads through the block instances
    (`ResNet.layer2[0].sum`), `help` says what to do.
    """

    code: str
    message: str
    span: Span
    label: str = ""
    path: str = ""
    help: str = ""
    severity: Severity = "error"
    layers: tuple[str, ...] = ()
    """The network and the layers on the path, where the path leads through instances."""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise AssertionError(f"unknown diagnostic code {self.code!r}")

    def __str__(self) -> str:
        head = f"{self.span.at}: {self.severity}[{self.code}]: {self.message}"
        return printable(head)


class SpecError(Exception):
    """A spec is invalid; `diagnostics` has all errors and warnings of the stage that failed."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return "\n".join(str(diagnostic) for diagnostic in self.diagnostics)


class RequestError(ValueError):
    """A request cannot be fulfilled; the message says why."""


class DataError(RequestError):
    """A file has invalid content; the message says what is wrong."""


class DiagramError(Exception):
    """A diagram cannot be drawn; the message says why."""


class Report:
    """Collects the diagnostics of a stage, so that they are reported together.

    Up to `limit` are kept, errors in preference to warnings, and one more says how many are
    not shown. Of two with the same code and place, one is kept.
    """

    def __init__(self, limit: int = 100) -> None:
        self.failed = False
        self._limit = limit
        self._kept: dict[tuple[str, Span], Diagnostic] = {}
        self._all_errors = False
        self._hidden = 0
        self._last: Diagnostic | None = None

    @property
    def full(self) -> bool:
        """Whether further diagnostics would not be shown; passes then skip costly help texts."""
        return len(self._kept) >= self._limit

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The diagnostics that were kept, in the order in which they were added."""
        kept = tuple(self._kept.values())
        if self._last is None:
            return kept
        message = f"{self._hidden:,} more problems are not shown"
        severity: Severity = "error" if self.failed else "warning"
        span = self._last.span
        return *kept, Diagnostic("too-many-problems", message, span, severity=severity)

    def error(
        self,
        code: str,
        span: Span,
        message: str,
        *,
        label: str = "",
        path: InstancePath | str = "",
        help: str = "",
    ) -> None:
        """Add an error."""
        layers = path.layers if isinstance(path, InstancePath) else ()
        self.add(Diagnostic(code, message, span, label, str(path), help, layers=layers))

    def warning(
        self,
        code: str,
        span: Span,
        message: str,
        *,
        label: str = "",
        path: str = "",
        help: str = "",
    ) -> None:
        """Add a warning."""
        self.add(Diagnostic(code, message, span, label, path, help, "warning"))

    def like(self, word: str, candidates: Iterable[str]) -> str:
        """The text of `suggest`; "" if further diagnostics would not be shown."""
        return "" if self.full else suggest(word, candidates) or ""

    def add(self, diagnostic: Diagnostic) -> None:
        """Add a diagnostic."""
        self.failed = self.failed or diagnostic.severity == "error"
        key = diagnostic.code, diagnostic.span
        if key in self._kept:
            self._kept[key] = _merged(self._kept[key], diagnostic)
        elif not self.full or self._make_room(diagnostic):
            self._kept[key] = diagnostic
        else:
            self._hide(diagnostic)

    def raise_if_failed(self) -> None:
        """Raise SpecError if there was an error."""
        if self.failed:
            raise SpecError(self.diagnostics)

    def _make_room(self, diagnostic: Diagnostic) -> bool:
        if diagnostic.severity == "warning" or self._all_errors:
            return False
        warnings = [key for key, one in self._kept.items() if one.severity != "error"]
        if warnings:
            self._hide(self._kept.pop(warnings[-1]))
        self._all_errors = not warnings  # from now on, so that a flood stays cheap
        return bool(warnings)

    def _hide(self, diagnostic: Diagnostic) -> None:
        self._hidden += 1
        self._last = self._last or diagnostic


def _merged(first: Diagnostic, second: Diagnostic) -> Diagnostic:
    if first.severity == "warning" and second.severity == "error":
        first, second = second, first
    return first if first.help else replace(first, help=second.help)


_LONGEST_WORD = 64
_MOST_CANDIDATES = 2_000


def suggest(word: str, candidates: Iterable[str]) -> str | None:
    """A question that names the candidate most similar to `word`; "" if none is similar.

    >>> suggest("kernel", ["stride", "kernel_size"])
    'did you mean `kernel_size`?'
    """
    found = closest(word, candidates)
    return None if found is None else f"did you mean `{found}`?"


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most similar to `word`; None if none is similar."""
    if len(word) > _LONGEST_WORD:
        return None
    likely = [name for name in islice(candidates, _MOST_CANDIDATES) if name != word]
    same = [name for name in likely if _folded(name) == _folded(word)]
    close = same or _starting_with(word, likely)
    close = close or difflib.get_close_matches(word, likely, n=1, cutoff=0.65)
    return close[0] if close else None


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def _starting_with(word: str, candidates: list[str]) -> list[str]:
    found = [
        name
        for name in candidates
        if name.startswith(word) or (len(name) >= 3 and word.startswith(name))
    ]
    return found if len(word) >= 3 and len(found) == 1 else []
