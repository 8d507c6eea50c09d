"""What can be wrong with a spec: codes, messages with their places, and a collector."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from compiler.diagnostics.source import Span
from compiler.diagnostics.text import printable

Severity = Literal["error", "warning"]

CODES: dict[str, str] = {
    # Reading a file.
    "file-not-found": "There is no file at this path.",
    "file-unreadable": "The path is no regular file, or it cannot be read.",
    "not-utf8": "A spec is UTF-8 text, and this file is not.",
    "control-character": "The text holds a character that cannot be seen.",
    "too-large": "The spec asks for more than its limits allow.",
    "too-deep": "Lists and mappings are inside one another too deeply.",
    "too-many-problems": "More problems were found than are shown.",
    # YAML.
    "yaml-syntax": "The file is not valid YAML.",
    "tab-indentation": "YAML indents with spaces, never with tabs.",
    "wrong-indentation": "A line is indented unlike the lines it belongs with.",
    "missing-space": "A colon that ends a key is followed by a space.",
    "unbalanced-brackets": "A bracket or a quote is opened and not closed, or closed"
    " and not opened.",
    "unquoted-text": "Text that YAML takes for something else must be quoted.",
    "yaml-escape": "A double-quoted text holds an escape that YAML does not know.",
    "yaml-directive": "A spec has no YAML directives.",
    "yaml-tag": "A spec has no YAML tags; a value's field gives its type.",
    "yaml-anchor": "A spec has no YAML anchors; blocks are how it reuses.",
    "yaml-alias": "A spec has no YAML aliases; blocks are how it reuses.",
    "yaml-merge-key": "A spec has no YAML merge keys; blocks are how it reuses.",
    "several-documents": "One file holds one spec.",
    "empty-document": "The file holds nothing but blanks and comments.",
    "not-a-mapping": "A spec is a mapping of keys to values.",
    "key-not-text": "The keys of a mapping are text.",
    "duplicate-key": "A mapping holds a key once.",
    "integer-too-large": "An integer fits 64 bits.",
    "float-too-large": "A finite float fits 64 bits.",
    # What a file may say.
    "unknown-key": "This key means nothing here.",
    "missing-key": "A key that is needed here is not there.",
    "bad-type": "The value is of another type than the key wants.",
    "bad-value": "The value is of the right type, but not one that is allowed.",
    "bad-name": "The name is not written as names of its kind are.",
    "duplicate-name": "Two things of one scope bear the same name.",
    "unknown-op": "No op has this name.",
    "unknown-block": "No block has this name.",
    "unknown-param": "No param has this name.",
    "unknown-argument": "The op or block takes no argument of this name.",
    "missing-argument": "The op or block needs an argument that is not given.",
    "unknown-variant": "The spec has no variant of this name.",
    "unknown-network": "The spec has no network of this name.",
    "import-not-found": "The file to import from, or the block in it, is not there.",
    "import-outside": "A spec imports from its own folder tree only.",
    "import-cycle": "Files import one another in a circle.",
    # The graph.
    "unknown-layer": "No layer or input of this scope has this name.",
    "unknown-port": "The layer has no output or input port of this name.",
    "missing-input": "The layer needs an input that nothing is connected to.",
    "too-many-inputs": "The layer is given more inputs than it takes.",
    "cycle": "Layers feed one another in a circle.",
    "recursion": "A block holds itself, and no `when` ends it.",
    "bad-repeat": "The layer cannot be repeated like this.",
    "repeat-mismatch": "A copy's output does not fit the next copy's input.",
    "bad-scan": "The block cannot be run along this dimension.",
    "carry-mismatch": "A step's carried output does not fit the next step's input.",
    "bad-when": "The condition cannot decide whether the layer is there.",
    "bad-share": "The layer cannot share the weights of that one.",
    "bad-tie": "The two tensors cannot be one.",
    "bad-init": "The tensor cannot be initialised like this.",
    "bad-parametrization": "The tensor cannot be parametrized like this.",
    "unused-layer": "No output depends on this layer.",
    "unused-param": "Nothing uses this param.",
    "unused-block": "Nothing uses this block.",
    # Expressions.
    "bad-expression": "The text is not an expression of the spec language.",
    "unknown-name": "The expression uses a name that means nothing here.",
    "not-constant": "The value must be known when the spec is compiled.",
    "division-by-zero": "The expression divides by zero.",
    # Shapes and types.
    "kind-mismatch": "The tensor is of another dtype kind than its use wants.",
    "shape-mismatch": "Shapes that must fit do not fit for every admitted size.",
    "rank-mismatch": "The tensor has another number of dimensions than its use wants.",
    "size-too-small": "A size is too small for the op that receives it.",
    "constraint": "A condition that the op puts on its sizes does not hold.",
    "symbolic-weight": "The shape of a weight would depend on the size of an input.",
    "pattern-mismatch": "The tensor's type does not match the pattern of its input.",
    "unbound-dimension": "No input gives this dimension its size.",
    "expect-mismatch": "What the spec expects is not what it describes.",
    # Published weights.
    "bad-rule": "The rule of a checkpoint cannot be read, or gives no tensor.",
    "unused-rule": "The rule of a checkpoint is for no tensor of the network.",
    "missing-tensor": "The file of weights lacks a tensor that the network needs.",
    "unknown-tensor": "The file of weights holds a tensor that nothing needs.",
    "tensor-mismatch": "The tensor in the file does not have the shape that it needs.",
    # Tasks and data.
    "unknown-task": "There is no task of this kind.",
    "task-misfit": "The network lacks what its task needs.",
    "data-misfit": "The task cannot learn from data of this form.",
    "vocabulary-mismatch": "The network and the data have other numbers of tokens.",
    "data-not-found": "There is no file or folder at this path.",
    "data-unreadable": "The data cannot be read, or not as what it should be.",
    "data-not-utf8": "The text is UTF-8, and this file is not.",
    "data-empty": "There are no examples, or too few to train and to evaluate.",
    "data-format": "A line or a file of the data is not of the form it should be.",
    "data-label": "A label is not one of those there are.",
    "data-mismatch": "The data does not have the sizes that the network takes.",
}
"""Every code, and the fault that it names."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem at one place.

    `label` stands behind the carets, `path` goes through the block instances
    (`ResNet.layer2[0].sum`), `help` says what to do.
    """

    code: str
    message: str
    span: Span
    label: str = ""
    path: str = ""
    help: str = ""
    severity: Severity = "error"

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise AssertionError(f"unknown diagnostic code {self.code!r}")

    def __str__(self) -> str:
        head = f"{self.span.at}: {self.severity}[{self.code}]: {self.message}"
        return printable(head)


class SpecError(Exception):
    """A spec is wrong; `diagnostics` holds all that a stage found, warnings too."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        return "\n".join(str(diagnostic) for diagnostic in self.diagnostics)


class RequestError(ValueError):
    """What was asked for cannot be done; the message is for whoever asked."""


class DataError(RequestError):
    """A file that was named holds something else than it should; the message says what."""


class DiagramError(Exception):
    """No picture came out; the message says why."""


class Report:
    """Collects the problems of a stage, so that all of them come together.

    Up to `limit` are kept, errors before warnings, and one more says how many are not.
    Two problems of one code at one place are one.
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
        """Whether more would not be shown; a pass may spare costly help then."""
        return len(self._kept) >= self._limit

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All that is kept, in the order of arrival."""
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
        path: str = "",
        help: str = "",
    ) -> None:
        """Adds what makes the spec wrong."""
        self.add(Diagnostic(code, message, span, label, path, help))

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
        """Adds what is allowed, but hardly meant."""
        self.add(Diagnostic(code, message, span, label, path, help, "warning"))

    def like(self, word: str, candidates: Iterable[str]) -> str:
        """The question that `suggest` asks; nothing where more would not be shown."""
        return "" if self.full else suggest(word, candidates) or ""

    def add(self, diagnostic: Diagnostic) -> None:
        """Adds a diagnostic that was made elsewhere."""
        self.failed = self.failed or diagnostic.severity == "error"
        key = diagnostic.code, diagnostic.span
        if key in self._kept:
            self._kept[key] = _merged(self._kept[key], diagnostic)
        elif not self.full or self._make_room(diagnostic):
            self._kept[key] = diagnostic
        else:
            self._hide(diagnostic)

    def raise_if_failed(self) -> None:
        """Raises SpecError if there was an error."""
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
    """A question that names the candidate most like `word`, if one is like it.

    >>> suggest("kernel", ["stride", "kernel_size"])
    'did you mean `kernel_size`?'
    """
    if len(word) > _LONGEST_WORD:
        return None
    likely = [name for name in islice(candidates, _MOST_CANDIDATES) if name != word]
    same = [name for name in likely if _folded(name) == _folded(word)]
    close = same or _starting_with(word, likely)
    close = close or difflib.get_close_matches(word, likely, n=1, cutoff=0.65)
    return f"did you mean `{close[0]}`?" if close else None


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def _starting_with(word: str, candidates: list[str]) -> list[str]:
    found = [
        name
        for name in candidates
        if name.startswith(word) or (len(name) >= 3 and word.startswith(name))
    ]
    return found if len(word) >= 3 and len(found) == 1 else []
