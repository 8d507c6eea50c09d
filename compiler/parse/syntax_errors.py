"""What libyaml's syntax errors mean to somebody who writes a spec."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import yaml

from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.source import Source, Span

_CLOSERS = {"{": "}", "[": "]"}
_GLUED = re.compile(r"\s*(?:- +)*[\w.-]+:(?=[^\s:/])")
_PAIR = re.compile(r":(?: |$)")
_EXAMPLE = "write `key: value`, with a space after the colon"
_QUOTE = "put the whole text between quotes"
_APOSTROPHE = "in a text between ' quotes, write '' for an apostrophe"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A syntax error: libyaml's words and the offsets of its two places."""

    source: Source
    problem: str
    context: str
    at: int
    since: int

    @property
    def char(self) -> str:
        """The character at the error; empty at the end of the file."""
        return self.source.text[self.at : self.at + 1]

    @property
    def line(self) -> str:
        """The error's line up to the error."""
        place = self.place
        return self.source.line(place.line)[: place.column - 1]

    @property
    def line_above(self) -> int | None:
        """The nearest line above the error that is not blank or a comment."""
        for number in range(self.place.line - 1, 0, -1):
            line = self.source.line(number).strip()
            if line and not line.startswith("#"):
                return number
        return None

    @property
    def place(self) -> Span:
        """The character at the error, or the last of the text at the file's end."""
        at = min(self.at, max(len(self.source.text.rstrip()) - 1, 0))
        return self.source.span(at, at + 1)

    @property
    def opener(self) -> Span:
        """The character where the thing began that could not be finished."""
        return self.source.span(self.since, self.since + 1)

    @property
    def rest(self) -> Span:
        """From the error to the end of its line."""
        return self.line_span(self.place.line, self.place.column)

    def line_span(self, number: int, column: int = 0) -> Span:
        """A line from `column`, or from its first word, to its end."""
        line = self.source.line(number).rstrip()
        start = column or _indent(line) + 1
        end = max(len(line) + 1, start)
        return Span(self.source.file, number, start, number, end)

    def says(
        self, code: str, message: str, help: str = "", span: Span | None = None
    ) -> Diagnostic:
        """A diagnostic of this error, by default where libyaml noticed it."""
        return Diagnostic(code, message, span or self.place, help=help)


def explain(source: Source, error: yaml.MarkedYAMLError) -> Diagnostic:
    """The syntax error in words that say what to do, at the place where to do it."""
    at = error.problem_mark.index if error.problem_mark else 0
    since = error.context_mark.index if error.context_mark else at
    problem, context = error.problem or "invalid text", error.context or ""
    trouble = Trouble(source, problem, context, at, since)
    for words, worded in _RULES.items():
        if words in problem or words in context:
            return worded(trouble)
    return trouble.says("yaml-syntax", f"this is not valid YAML: {problem}")


def missing_space(colon: Span) -> Diagnostic:
    """A key that swallowed its value, because no space follows the colon."""
    message = "a space is missing after the colon"
    return Diagnostic("missing-space", message, colon, help=_EXAMPLE)


def glued_pair(source: Source, line: int) -> Diagnostic | None:
    """What is wrong with a line that begins with `key:value`."""
    match = _GLUED.match(source.line(line))
    if match is None:
        return None
    column = match.end()
    return missing_space(Span(source.file, line, column, line, column + 1))


def _tab(trouble: Trouble) -> Diagnostic:
    message = "a tab is used for indentation"
    return trouble.says("tab-indentation", message, "replace the tab by spaces")


def _bad_start(trouble: Trouble) -> Diagnostic:
    if trouble.char == "\t":
        return _tab(trouble)
    message = f"a value cannot start with `{trouble.char}`"
    return trouble.says("unquoted-text", message, _QUOTE)


def _extra_colon(trouble: Trouble) -> Diagnostic:
    above = trouble.line_above
    if _PAIR.search(trouble.line) or above is None:
        message = "a second `: ` on one line starts no new pair"
        help = "put the text that holds it between quotes, or write the pairs as {...}"
        return trouble.says("unquoted-text", message, help)
    if glued := glued_pair(trouble.source, above):
        return glued
    if _indent(trouble.source.line(above)) >= _indent(trouble.line):
        return _no_pair(trouble, trouble.line_span(above))
    message = "this key is indented deeper than its neighbours"
    help = "the line above already has its value; align the keys of one mapping"
    return trouble.says("wrong-indentation", message, help, _key_before(trouble))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _no_pair(trouble: Trouble, span: Span) -> Diagnostic:
    message = "this line is no `key: value` pair, and its neighbours are"
    return trouble.says("yaml-syntax", message, "write a `:` and a value", span)


def _key_before(trouble: Trouble) -> Span:
    place = trouble.place
    start = min(_indent(trouble.line) + 1, place.column)
    return Span(place.file, place.line, start, place.line, max(place.column, start + 1))


def _open_flow(trouble: Trouble) -> Diagnostic:
    opener = trouble.source.text[trouble.since]
    closer = _CLOSERS[opener]
    if trouble.char in _CLOSERS.values() and trouble.char:
        message = f"`{trouble.char}` closes the `{opener}` of {_where(trouble)}"
        return trouble.says("unbalanced-brackets", message, f"write `{closer}`")
    if trouble.char == "[" and re.search(r"\w\Z", trouble.line):
        message = "inside `{` and `[`, text with brackets must be quoted"
        help = 'write for example {x: "float[B, T]"}, or give the key its own line'
        return trouble.says("unquoted-text", message, help)
    if not trouble.char or trouble.place.line > trouble.opener.line:
        message = f"this `{opener}` is not closed"
        help = f"write `{closer}` where it ends"
        return trouble.says("unbalanced-brackets", message, help, trouble.opener)
    message = f"a `,` or `{closer}` is missing before this"
    return trouble.says("yaml-syntax", message)


def _where(trouble: Trouble) -> str:
    opener = trouble.opener
    same = opener.line == trouble.place.line
    return f"column {opener.column}" if same else f"line {opener.line}"


def _no_key(trouble: Trouble) -> Diagnostic:
    if trouble.char in ("}", "]"):
        return _stray(trouble)
    if not trouble.line.strip():
        message = "this line is indented like none of the lines above"
        help = "align it with the keys of the mapping that it belongs to"
        return trouble.says("wrong-indentation", message, help, trouble.rest)
    message = "this follows a value that has already ended"
    help = _APOSTROPHE if trouble.line.endswith("'") else _QUOTE
    return trouble.says("unquoted-text", message, help, trouble.rest)


def _no_item(trouble: Trouble) -> Diagnostic:
    if trouble.char in ("}", "]") or trouble.line.strip():
        return _no_key(trouble)
    message = "this line stands among the items of a list, and is none"
    help = "start it with `- `, or indent it like the mapping that it belongs to"
    return trouble.says("wrong-indentation", message, help, trouble.rest)


def _stray(trouble: Trouble) -> Diagnostic:
    message = f"`{trouble.char}` closes nothing"
    return trouble.says("unbalanced-brackets", message, "remove it, or quote the text")


def _no_content(trouble: Trouble) -> Diagnostic:
    if trouble.char in ("}", "]"):
        return _stray(trouble)
    if not trouble.char:
        message = "the file ends inside a `[` or `{`"
        return trouble.says("unbalanced-brackets", message, "close it")
    message = f"a value is missing before this `{trouble.char}`"
    return trouble.says("yaml-syntax", message, "write the value, or quote the text")


def _open_quote(trouble: Trouble) -> Diagnostic:
    message = "this quote is not closed"
    help = _APOSTROPHE if trouble.source.text[trouble.since] == "'" else ""
    return trouble.says("unbalanced-brackets", message, help, trouble.opener)


def _bad_escape(trouble: Trouble) -> Diagnostic:
    start = trouble.source.text.rfind("\\", 0, trouble.at + 1)
    span = trouble.source.span(start, start + 2)
    shown = trouble.source.text[start : start + 2]
    known = "unknown" not in trouble.problem
    fault = "is followed by no character's number" if known else "is no escape of YAML"
    message = f"`{shown}` {fault}"
    help = r"write \\ for a backslash, or put the text between ' quotes"
    return trouble.says("yaml-escape", message, help, span)


def _no_colon(trouble: Trouble) -> Diagnostic:
    start = trouble.opener
    if glued := glued_pair(trouble.source, start.line):
        return glued
    return _no_pair(trouble, trouble.line_span(start.line, start.column))


def _no_document(trouble: Trouble) -> Diagnostic:
    if trouble.char and trouble.line == "":
        message = "this line is indented less than the first one"
        help = "start all top-level keys in the first column"
        if trouble.source.text.lstrip("\n").startswith(" "):
            return trouble.says("wrong-indentation", message, help, trouble.rest)
    message = "this follows the end of the spec"
    return trouble.says("yaml-syntax", message, "", trouble.rest)


def _directive(trouble: Trouble) -> Diagnostic:
    message = "a spec has no YAML directives"
    span = trouble.place if "directive" not in trouble.context else trouble.opener
    return trouble.says("yaml-directive", message, "remove the line", span)


def _bare(code: str, sign: str, what: str) -> Callable[[Trouble], Diagnostic]:
    def worded(trouble: Trouble) -> Diagnostic:
        message = f"in YAML, `{sign}` starts {what}, and a spec has none"
        return trouble.says(code, message, _QUOTE, trouble.opener)

    return worded


def _bare_item(trouble: Trouble) -> Diagnostic:
    message = "a list that is written with `- ` starts on its own line"
    return trouble.says("yaml-syntax", message, "or write it as [a, b]")


def _bare_question(trouble: Trouble) -> Diagnostic:
    message = "in YAML, `? ` starts a key, and none can stand here"
    return trouble.says("unquoted-text", message, _QUOTE)


def _block_header(trouble: Trouble) -> Diagnostic:
    message = "the text of a `|` or `>` block starts on the next line"
    return trouble.says("yaml-syntax", message, span=trouble.opener)


_RULES: dict[str, Callable[[Trouble], Diagnostic]] = {
    "tab character": _tab,
    "cannot start any token": _bad_start,
    "mapping values are not allowed": _extra_colon,
    "block sequence entries are not allowed": _bare_item,
    "mapping keys are not allowed": _bare_question,
    "scanning a block scalar": _block_header,
    "scanning an anchor": _bare("yaml-anchor", "&", "an anchor"),
    "scanning an alias": _bare("yaml-alias", "*", "an alias"),
    "scanning a tag": _bare("yaml-tag", "!", "a tag"),
    "parsing a tag": _bare("yaml-tag", "!", "a tag"),
    "undefined tag handle": _bare("yaml-tag", "!", "a tag"),
    "irective": _directive,
    "incompatible YAML document": _directive,
    "unexpected end of stream": _open_quote,
    "unexpected document indicator": _open_quote,
    "escape": _bad_escape,
    "hexdecimal": _bad_escape,
    "expected ','": _open_flow,
    "expected key": _no_key,
    "expected '-' indicator": _no_item,
    "expected ':'": _no_colon,
    "expected node content": _no_content,
    "expected <document start>": _no_document,
}
"""By a part of libyaml's problem or context; the first that matches words the error."""
