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
    "file-unreadable": "The path is not a regular file, or the file cannot be read.",
    "not-utf8": "A spec is UTF-8 text; this file is not.",
    "control-character": "The text contains an invisible character.",
    "too-large": "The spec exceeds one of the compiler's limits.",
    "too-deep": "Lists and mappings are nested too deeply.",
    "too-many-problems": "More problems were found than are shown.",
    # YAML.
    "yaml-syntax": "The file is not valid YAML.",
    "tab-indentation": "YAML is indented with spaces, not with tabs.",
    "wrong-indentation": "A line is not aligned with the lines that it belongs to.",
    "missing-space": "The colon after a key needs a space after it.",
    "unbalanced-brackets": "A bracket or quote is not closed, or was not opened.",
    "unquoted-text": "The text has a meaning in YAML and must be quoted.",
    "yaml-escape": "A double-quoted text contains an unknown escape.",
    "yaml-directive": "YAML directives are not supported.",
    "yaml-tag": "YAML tags are not supported; the key of a value determines its type.",
    "yaml-anchor": "YAML anchors are not supported; use blocks.",
    "yaml-alias": "YAML aliases are not supported; use blocks.",
    "yaml-merge-key": "YAML merge keys are not supported; use blocks.",
    "several-documents": "A file contains one spec.",
    "empty-document": "The file contains nothing but blanks and comments.",
    "not-a-mapping": "A spec is a mapping of keys to values.",
    "key-not-text": "The keys of a mapping must be text.",
    "duplicate-key": "A mapping contains the same key twice.",
    "integer-too-large": "An integer does not fit into 64 bits.",
    "float-too-large": "A number exceeds the range of a 64-bit float.",
    # What a file may say.
    "unknown-key": "There is no such key here.",
    "missing-key": "A required key is missing.",
    "bad-type": "The value has the wrong type for its key.",
    "bad-value": "The value has the right type but is not allowed.",
    "bad-name": "The name does not follow the rules for names of its kind.",
    "duplicate-name": "Two things in one scope have the same name.",
    "unknown-op": "There is no op of this name.",
    "unknown-block": "There is no block of this name.",
    "unknown-param": "There is no param of this name.",
    "unknown-argument": "The op or block has no argument of this name.",
    "missing-argument": "A required argument of the op or block is missing.",
    "unknown-variant": "The spec has no variant of this name.",
    "unknown-network": "The spec has no network of this name.",
    "import-not-found": "The imported file, or the block in it, does not exist.",
    "import-outside": "A spec can import only from its own folder tree.",
    "import-cycle": "Files import one another in a cycle.",
    # The graph.
    "unknown-layer": "The scope has no layer or input of this name.",
    "unknown-port": "The layer has no input or output of this name.",
    "missing-input": "A required input of the layer is not connected.",
    "too-many-inputs": "The layer has more inputs than its op or block takes.",
    "cycle": "Layers depend on one another in a cycle.",
    "recursion": "A block contains itself, and no `when` ends the recursion.",
    "bad-repeat": "The layer cannot be repeated in this way.",
    "repeat-mismatch": "The output of one copy does not fit the input of the next.",
    "bad-scan": "The block cannot be run along this dimension.",
    "carry-mismatch": "The carried output of one step does not fit the input of the next.",
    "bad-when": "The condition cannot decide whether the layer runs.",
    "bad-share": "The layer cannot share the weights of the other layer.",
    "bad-tie": "The two tensors cannot be tied.",
    "bad-init": "The tensor cannot be initialised in this way.",
    "bad-parametrization": "The tensor cannot be parametrised in this way.",
    "unused-layer": "No output depends on this layer.",
    "unused-param": "The param is not used.",
    "unused-block": "The block is not used.",
    # Expressions.
    "bad-expression": "The text is not a valid expression.",
    "unknown-name": "The expression uses an unknown name.",
    "not-constant": "The value must be known at compile time.",
    "division-by-zero": "The expression divides by zero.",
    # Shapes and types.
    "kind-mismatch": "The tensor has the wrong dtype for its use.",
    "shape-mismatch": "Shapes do not fit for all sizes that `dims` admit.",
    "rank-mismatch": "The tensor has the wrong number of dimensions for its use.",
    "size-too-small": "A size is too small for the op that uses it.",
    "constraint": "A condition that the op places on its sizes does not hold.",
    "symbolic-weight": "The shape of a weight would depend on the size of an input.",
    "pattern-mismatch": "The type of the tensor does not match the declared type of the input.",
    "unbound-dimension": "No input determines the size of this dimension.",
    "expect-mismatch": "An assertion under `expect` does not hold.",
    # Published weights.
    "bad-rule": "A rule of a checkpoint is invalid, or yields no tensor.",
    "unused-rule": "A rule of a checkpoint matches no tensor of the network.",
    "missing-tensor": "The weights file lacks a tensor that the network needs.",
    "unknown-tensor": "The weights file contains a tensor that the network does not need.",
    "tensor-mismatch": "A tensor in the weights file has the wrong shape.",
    # Tasks and data.
    "unknown-task": "There is no task of this kind.",
    "task-misfit": "The network does not meet the requirements of its task.",
    "data-misfit": "The task cannot be trained on data of this form.",
    "vocabulary-mismatch": "The network and the data have different numbers of tokens.",
    "data-not-found": "There is no file or folder at this path.",
    "data-unreadable": "The data cannot be read, or are not of the expected format.",
    "data-not-utf8": "The data must be UTF-8 text; this file is not.",
    "data-empty": "There are no examples, or too few to train and to evaluate.",
    "data-format": "A line or a file of the data does not have the expected format.",
    "data-label": "The label is not one of the known labels.",
    "data-mismatch": "The sizes of the data differ from those that the network takes.",
}
"""Every error code, with the error that it stands for in one sentence."""


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
