"""libyaml's syntax errors -> diagnostics that say what to do, at the place where to do it."""

from __future__ import annotations

import re
from collections.abc import Callable

import yaml

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.replacement import Replacement
from compiler.diagnostics.source import Source, Span

_CLOSERS = {"{": "}", "[": "]"}
_JOINED_PAIR = re.compile(r"\s*(?:- +)*[\w.-]+:(?=[^\s:/])")
_PAIR = re.compile(r":(?: |$)")
_EXAMPLE = "write `key: value`, with a space after the colon"
_QUOTE = "quote the whole text"
_APOSTROPHE = "inside single quotes, write '' for an apostrophe"


@dataclass(frozen=True, slots=True)
class YamlSyntaxError:
    """A syntax error of libyaml: its problem at the offset `at`, and its context at `context_offset`."""

    source: Source
    problem: str
    context: str
    at: int
    context_offset: int

    @property
    def char(self) -> str:
        """The character at the error; "" at the end of the file."""
        return self.source.text[self.at : self.at + 1]

    @property
    def line(self) -> str:
        """The text of the error's line up to the error."""
        place = self.place
        return self.source.line(place.line)[: place.column - 1]

    @property
    def line_above(self) -> int | None:
        """The number of the nearest line above that is neither blank nor a comment; None if there is none."""
        for number in range(self.place.line - 1, 0, -1):
            line = self.source.line(number).strip()
            if line and not line.startswith("#"):
                return number
        return None

    @property
    def place(self) -> Span:
        """The position of the character at the error, or of the last one in the file."""
        at = min(self.at, max(len(self.source.text.rstrip()) - 1, 0))
        return self.source.span(at, at + 1)

    @property
    def opener(self) -> Span:
        """The position of the character that opened the unfinished collection, quote or node."""
        return self.source.span(self.context_offset, self.context_offset + 1)

    @property
    def rest(self) -> Span:
        """The positions from the error to the end of its line."""
        return self.line_span(self.place.line, self.place.column)

    def line_span(self, number: int, column: int = 0) -> Span:
        """The positions in a line from `column`, or from its first word, to its end."""
        line = self.source.line(number).rstrip()
        start = column or _indent(line) + 1
        end = max(len(line) + 1, start)
        return Span(self.source.file, number, start, number, end)

    def diagnostic(
        self, code: str, message: str, help: str = "", span: Span | None = None
    ) -> Diagnostic:
        """A diagnostic, at `span` or at the position that libyaml reports."""
        return Diagnostic(code, message, span or self.place, help=help)


def explain_syntax_error(source: Source, raised: yaml.MarkedYAMLError) -> Diagnostic:
    """The diagnostic for a syntax error of libyaml."""
    at = raised.problem_mark.index if raised.problem_mark else 0
    context_offset = raised.context_mark.index if raised.context_mark else at
    problem, context = raised.problem or "invalid text", raised.context or ""
    error = YamlSyntaxError(source, problem, context, at, context_offset)
    for words, explain_error in _RULES.items():
        if words in problem or words in context:
            return explain_error(error)
    return error.diagnostic("yaml-syntax", f"invalid YAML: {problem}")


def missing_space_error(colon: Span) -> Diagnostic:
    """The error of a key without a space after its colon: YAML reads key and value as one text."""
    message = "a space is missing after the colon"
    help = Replacement(_EXAMPLE, ":", ": ")
    return Diagnostic("missing-space", message, colon, help=help)


def missing_space_in_line(source: Source, line: int) -> Diagnostic | None:
    """The error of a line that starts with `key:value`; None for any other line."""
    match = _JOINED_PAIR.match(source.line(line))
    if match is None:
        return None
    column = match.end()
    return missing_space_error(Span(source.file, line, column, line, column + 1))


def _tab(error: YamlSyntaxError) -> Diagnostic:
    message = "a tab is used for indentation"
    help = Replacement("replace it by spaces", "\t", "  ")
    return error.diagnostic("tab-indentation", message, help)


def _bad_start(error: YamlSyntaxError) -> Diagnostic:
    if error.char == "\t":
        return _tab(error)
    message = f"a value cannot start with `{error.char}`"
    return error.diagnostic("unquoted-text", message, _QUOTE)


def _extra_colon(error: YamlSyntaxError) -> Diagnostic:
    above = error.line_above
    if _PAIR.search(error.line) or above is None:
        message = "a line cannot contain a second `: `"
        help = "quote the text that contains it, or write the pairs as {...}"
        return error.diagnostic("unquoted-text", message, help)
    if joined := missing_space_in_line(error.source, above):
        return joined
    if _indent(error.source.line(above)) >= _indent(error.line):
        return _no_pair(error, error.line_span(above))
    message = "this key is indented more than the keys around it"
    help = "the line above already has a value; align the keys of a mapping"
    return error.diagnostic("wrong-indentation", message, help, _key_before(error))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _no_pair(error: YamlSyntaxError, span: Span) -> Diagnostic:
    message = "this line is not a `key: value` pair, unlike those around it"
    return error.diagnostic("yaml-syntax", message, "write a `:` and a value", span)


def _key_before(error: YamlSyntaxError) -> Span:
    place = error.place
    start = min(_indent(error.line) + 1, place.column)
    return Span(place.file, place.line, start, place.line, max(place.column, start + 1))


def _open_flow(error: YamlSyntaxError) -> Diagnostic:
    opener = error.source.text[error.context_offset]
    closer = _CLOSERS[opener]
    if error.char in _CLOSERS.values() and error.char:
        message = f"`{error.char}` does not match the `{opener}` at {_where(error)}"
        return error.diagnostic("unbalanced-brackets", message, f"write `{closer}`")
    if error.char == "[" and re.search(r"\w\Z", error.line):
        message = "text with brackets must be quoted inside `{` and `[`"
        help = 'write {x: "float[B, T]"}, or put the key on its own line'
        return error.diagnostic("unquoted-text", message, help)
    if not error.char or error.place.line > error.opener.line:
        message = f"this `{opener}` is not closed"
        help = f"add `{closer}`"
        return error.diagnostic("unbalanced-brackets", message, help, error.opener)
    message = f"expected `,` or `{closer}` here"
    return error.diagnostic("yaml-syntax", message)


def _where(error: YamlSyntaxError) -> str:
    opener = error.opener
    same = opener.line == error.place.line
    return f"column {opener.column}" if same else f"line {opener.line}"


def _no_key(error: YamlSyntaxError) -> Diagnostic:
    if error.char in ("}", "]"):
        return _stray(error)
    if not error.line.strip():
        message = "the indentation of this line matches no line above"
        help = "align it with the keys of its mapping"
        return error.diagnostic("wrong-indentation", message, help, error.rest)
    message = "unexpected text after a complete value"
    help = _APOSTROPHE if error.line.endswith("'") else _QUOTE
    return error.diagnostic("unquoted-text", message, help, error.rest)


def _no_item(error: YamlSyntaxError) -> Diagnostic:
    if error.char in ("}", "]") or error.line.strip():
        return _no_key(error)
    message = "expected a list item here"
    help = "start the line with `- `, or align it with the keys of its mapping"
    return error.diagnostic("wrong-indentation", message, help, error.rest)


def _stray(error: YamlSyntaxError) -> Diagnostic:
    message = f"`{error.char}` has no opening bracket"
    help = Replacement("remove it, or quote the text", error.char, "")
    return error.diagnostic("unbalanced-brackets", message, help)


def _no_content(error: YamlSyntaxError) -> Diagnostic:
    if error.char in ("}", "]"):
        return _stray(error)
    if not error.char:
        message = "a `[` or `{` is not closed"
        return error.diagnostic(
            "unbalanced-brackets", message, "add the closing bracket"
        )
    message = f"expected a value before this `{error.char}`"
    return error.diagnostic("yaml-syntax", message, "add the value, or quote the text")


def _open_quote(error: YamlSyntaxError) -> Diagnostic:
    message = "this quote is not closed"
    help = _APOSTROPHE if error.source.text[error.context_offset] == "'" else ""
    return error.diagnostic("unbalanced-brackets", message, help, error.opener)


def _bad_escape(error: YamlSyntaxError) -> Diagnostic:
    start = error.source.text.rfind("\\", 0, error.at + 1)
    span = error.source.span(start, start + 2)
    shown = error.source.text[start : start + 2]
    known = "unknown" not in error.problem
    problem = "lacks the number of a character" if known else "is not an escape of YAML"
    message = f"`{shown}` {problem}"
    help = r"write \\ for a backslash, or use single quotes"
    return error.diagnostic("yaml-escape", message, help, span)


def _no_colon(error: YamlSyntaxError) -> Diagnostic:
    start = error.opener
    if joined := missing_space_in_line(error.source, start.line):
        return joined
    return _no_pair(error, error.line_span(start.line, start.column))


def _no_document(error: YamlSyntaxError) -> Diagnostic:
    if error.char and error.line == "":
        message = "this line is indented less than the first one"
        help = "start all top-level keys in the first column"
        if error.source.text.lstrip("\n").startswith(" "):
            return error.diagnostic("wrong-indentation", message, help, error.rest)
    message = "unexpected text after the end of the spec"
    return error.diagnostic("yaml-syntax", message, "", error.rest)


def _directive(error: YamlSyntaxError) -> Diagnostic:
    message = "YAML directives are not supported"
    span = error.place if "directive" not in error.context else error.opener
    return error.diagnostic("yaml-directive", message, "remove the line", span)


def _bare(code: str, sign: str, what: str) -> Callable[[YamlSyntaxError], Diagnostic]:
    def explain_error(error: YamlSyntaxError) -> Diagnostic:
        message = f"`{sign}` starts {what} in YAML, which specs do not support"
        return error.diagnostic(code, message, _QUOTE, error.opener)

    return explain_error


def _bare_item(error: YamlSyntaxError) -> Diagnostic:
    message = "a list with `- ` must start on its own line"
    return error.diagnostic("yaml-syntax", message, "or write [a, b]")


def _bare_question(error: YamlSyntaxError) -> Diagnostic:
    message = "`? ` starts a key in YAML, which is not possible here"
    return error.diagnostic("unquoted-text", message, _QUOTE)


def _block_header(error: YamlSyntaxError) -> Diagnostic:
    message = "the text after `|` or `>` must start on the next line"
    return error.diagnostic("yaml-syntax", message, span=error.opener)


_RULES: dict[str, Callable[[YamlSyntaxError], Diagnostic]] = {
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
"""By a part of libyaml's problem or context; the first match explains the error."""
