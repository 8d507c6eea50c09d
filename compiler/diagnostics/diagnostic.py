"""Diagnostics: codes and messages with places, the errors that carry them, and a collector."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Literal

from compiler.dataclass import dataclass
from compiler.diagnostics.codes import CODES
from compiler.diagnostics.replacement import Replacement, did_you_mean
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
    (`ResNet.layer2[0].sum`), `help` says what to do; it is a `Replacement` where that is to write another text.
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
    missing: str = ""
    """The name that nothing has, where that is what is wrong."""
    related: tuple[tuple[Span, str], ...] = ()
    """Other places that have to do with it, each with what is there."""

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
        missing: str = "",
        related: tuple[tuple[Span, str], ...] = (),
    ) -> None:
        """Add an error; `missing` is the name that nothing has, if that is the error."""
        layers = path.layers if isinstance(path, InstancePath) else ()
        found = Diagnostic(code, message, span, label, str(path), help, layers=layers)
        if missing or related:
            found = replace(found, missing=missing, related=related)
        self.add(found)

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
_STEM = 7
"""Words that begin with as many equal letters are forms of one word: `classifier`, `classification`."""
_NO_LETTERS = re.compile(r"[\W_]+")
_MOST_CANDIDATES = 2_000


def suggest(word: str, candidates: Iterable[str]) -> Replacement | None:
    """A question that names the candidate most similar to `word`; None if none is similar.

    >>> suggest("kernel", ["stride", "kernel_size"])
    'did you mean `kernel_size`?'
    """
    found = closest(word, candidates)
    return None if found is None else did_you_mean(word, found)


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` is a slip of; None if there is none.

    A guess of another meaning is worse than none, so that few letters may differ: one in short words, and none in the
    shortest.
    """
    if len(word) > _LONGEST_WORD:
        return None
    likely = [name for name in islice(candidates, _MOST_CANDIDATES) if name != word]
    same = [name for name in likely if _folded(name) == _folded(word)]
    close = same or _with_more_words(word, likely)
    if not close:
        near = difflib.get_close_matches(word, likely, n=3, cutoff=0.65)
        close = [name for name in near if _is_slip(_folded(word), _folded(name))]
    return close[0] if close else None


def _folded(name: str) -> str:
    return _NO_LETTERS.sub("", name).casefold()


def _with_more_words(word: str, candidates: list[str]) -> list[str]:
    """The candidate that `word` shortens, or that shortens `word`."""
    found = [name for name in candidates if _extends(name, word)]
    found = found or [name for name in candidates if _extends(word, name)]
    return found if len(found) == 1 else []


def _extends(longer: str, word: str) -> bool:
    """Whether whole words are added, or letters to the only one: `maximum` to `max`, not `scaled_dot` to `scale`."""
    added = longer.removeprefix(word)
    if longer.endswith(f"_{word}") or added.startswith("_"):
        return True
    most = max(1, 4 * len(word) - 7)  # a letter more is a slip; `se` is not `selu`
    return added != longer and "_" not in added and len(added) <= most


def _is_slip(word: str, name: str) -> bool:
    """Whether few letters differ (missing, added, exchanged, swapped with a neighbour), or only the ending."""
    if word[:_STEM] == name[:_STEM] and len(word) >= _STEM:
        return True
    most = min(len(word), len(name))
    allowed = 0 if most < 3 else 1 if most < 6 else 2 if most < 10 else 3
    return abs(len(word) - len(name)) <= allowed and _edits(word, name) <= allowed


def _edits(word: str, name: str) -> int:
    """The number of such edits (Damerau, 1964; each part of the text edited once)."""
    before: list[int] = []
    last = list(range(len(name) + 1))
    for i, letter in enumerate(word, 1):
        row = [i]
        for j, other in enumerate(name, 1):
            change = last[j - 1] + (letter != other)
            row.append(min(last[j] + 1, row[j - 1] + 1, change))
            if i > 1 and j > 1 and (letter, word[i - 2]) == (name[j - 2], other):
                row[j] = min(row[j], before[j - 2] + 1)
        before, last = last, row
    return last[-1]
