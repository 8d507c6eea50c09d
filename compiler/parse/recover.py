"""Source -> Document, of a text that is half written: what cannot be read is repaired or left out.

The lines stay where they are: a repair puts blanks in place of characters, or closes what is open at the end of a line.
So every node has the position that it has in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.source import Source, Span
from compiler.diagnostics.text import INVISIBLE
from compiler.parse.document import (
    Document,
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
)
from compiler.parse.gc_pause import gc_paused
from compiler.parse.read_nodes import read_nodes

_CHARACTERS = 2_000_000
"""Characters that all tries together read, about: half a second."""
_ROUNDS = 40
_LONGEST_LINE = 2_000
_DEEPEST = 256
_CLOSERS = {"{": "}", "[": "]"}
_BARE_KEY = re.compile(r"\s*(?:- +)*[\w.$-]+\s*$")
_BREAK = re.compile(r"\r\n?")
_PROPERTY = re.compile(r"(?<=[\s\[{,])[&*!%@`](?=\S)|^%", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Fault:
    """Where libyaml stopped, and where what it was reading began, as line numbers from 0."""

    line: int
    column: int
    opened: int


@gc_paused()
def recover(source: Source, limits: Limits) -> Document:
    r"""What a text says, as far as it can be read: a document that may lack what is wrong.

    >>> recover(Source("a.yaml", "layers:\n  a: {op: linear, out\n  b: relu"), Limits()).locate(("layers", "b")).line
    3
    """
    root = None
    if len(source.text) <= limits.bytes:
        repaired = Source(source.file, _repaired(source.text))
        root = read_nodes(repaired, limits, Report())
    nothing = MappingNode((), Span(source.file, 1, 1, 1, 1))
    return Document(source, _distinct(root) if _is_mapping(root) else nothing)


def _is_mapping(node: YamlNode | None) -> bool:
    return isinstance(node, MappingNode)


def _distinct(root: YamlNode | None) -> MappingNode:
    """The mapping, each key once: the first of the same name counts."""
    assert isinstance(root, MappingNode)
    found = _only_first(root)
    assert isinstance(found, MappingNode)
    return found


def _only_first(node: YamlNode) -> YamlNode:
    if isinstance(node, SequenceNode):
        return SequenceNode(tuple(map(_only_first, node.items)), node.span)
    if not isinstance(node, MappingNode):
        return node
    first: dict[str, tuple[ScalarNode, YamlNode]] = {}
    for key, value in node.entries:
        if isinstance(key.value, str):
            first.setdefault(key.value, (key, _only_first(value)))
    return MappingNode(tuple(first.values()), node.span)


def _repaired(text: str) -> str:
    """A text that libyaml can read, with the same lines; "" if no repair was found."""
    text = INVISIBLE.sub(" ", _BREAK.sub("\n", text))
    tries = max(_CHARACTERS // max(len(text), 1), 1)
    fault = _fault(text)
    if fault is not None:
        text = _PROPERTY.sub(" ", re.sub(r"(?m)^[ \t]+", _spaces, text))
        fault = _fault(text)
    for _ in range(_ROUNDS):
        if fault is None:
            return text
        best, reached = "", fault
        for candidate in _candidates(text, fault):
            tries -= 1
            if tries < 0:
                return ""
            left = _fault(candidate)
            if left is None:
                return candidate
            if not best or _further(left, reached):
                best, reached = candidate, left
        text, fault = best, reached
    return ""


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _further(one: _Fault, other: _Fault) -> bool:
    return (one.line, one.column) > (other.line, other.column)


def _fault(text: str) -> _Fault | None:
    """Where the text cannot be read; None if it can, or is nested so deeply that nobody reads on."""
    depth = 0
    try:
        for event in iter(yaml.CSafeLoader(text).get_event, None):
            depth += isinstance(event, CollectionStartEvent)
            depth -= isinstance(event, CollectionEndEvent)
            if depth > _DEEPEST:
                return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is None:
            return _Fault(0, 0, 0)
        opened = error.context_mark or mark
        return _Fault(mark.line, mark.column, opened.line)
    return None


def _candidates(text: str, fault: _Fault) -> Iterator[str]:
    """Texts that may be better: what is open is closed, or else the line is blanked."""
    lines = text.split("\n")
    last = len(lines) - 1
    at, opened = min(fault.line, last), min(fault.opened, last)
    above = next((n for n in range(at - 1, -1, -1) if _said(lines[n])), at)
    near = dict.fromkeys((opened, at, above, _open_quote(lines, at)))
    for number in near:
        for line in _closed(lines[number]):
            yield _with(lines, number, line)
    for number in (at, above, opened):
        if _said(lines[number]):
            yield _with(lines, number, "")
    yield "\n".join(lines[:at])  # what follows is lost


def _said(line: str) -> bool:
    """Whether there is more in a line than blanks and a comment."""
    bare = line.strip()
    return bool(bare) and not bare.startswith("#")


def _with(lines: list[str], number: int, line: str) -> str:
    return "\n".join((*lines[:number], line, *lines[number + 1 :]))


def _open_quote(lines: list[str], at: int) -> int:
    """The nearest line up to one in which a quote is left open; that line if there is none."""
    for number in range(at, max(at - 200, -1), -1):
        if _scan(lines[number]).quote:
            return number
    return at


@dataclass(frozen=True, slots=True)
class _Line:
    """What a line leaves open at its end; `end` is where its text ends, before a comment."""

    quote: str = ""
    brackets: str = ""
    end: int = 0
    stray: int = -1
    crossed: tuple[int, ...] = ()
    """Where closers stand that are not those of what is open."""


def _scan(line: str) -> _Line:
    """Read the brackets and quotes of a line, as if it began outside of any; a very long line is not read."""
    if len(line) > _LONGEST_LINE:
        return _Line(end=len(line))
    quote, before, brackets = "", " ", list[str]()
    crossed: list[int] = []
    stray, position = -1, -1
    end = len(line.rstrip())
    while position + 1 < len(line):
        position += 1
        char, before = line[position], line[position - 1] if position else " "
        if quote:
            if quote == '"' and char == "\\":
                position += 1
            elif char == quote:
                quote = ""
        elif char == "#" and before in " \t":
            end = len(line[:position].rstrip())
            break
        elif char in "\"'" and before in " \t[{,:":
            quote = char
        elif char in "[{":
            brackets.append(char)
        elif char in "]}" and brackets:
            crossed += [position] * (char != _CLOSERS[brackets.pop()])
        elif char in "]}" and stray < 0:
            stray = position
    return _Line(quote, "".join(brackets), end, stray, tuple(crossed))


def _closed(line: str) -> Iterator[str]:
    """The line with what it leaves open closed, and a key without its colon with one."""
    found = _scan(line)
    if not _said(line):
        return
    text = line[: found.end]
    closers = "".join(_CLOSERS[one] for one in reversed(found.brackets))
    if found.crossed:  # `{op: add, in: [x}`
        for position in found.crossed:
            other = "]" if text[position] == "}" else "}"
            text = f"{text[:position]}{other}{text[position + 1 :]}"
        yield text + found.quote + closers
    if found.quote or closers:
        yield text + found.quote + closers
        if closers:  # the last part of it may be what is wrong: `{op: linear, in: [`, `{op: linear, "`
            cut = max(text.rfind(","), text.rfind("{"), text.rfind("["))
            yield text[: cut + (text[cut] != ",")] + _after_cut(text[:cut], text[cut])
    elif _BARE_KEY.fullmatch(text):
        yield f"{text}:"
    if found.stray >= 0:
        yield f"{line[: found.stray]} {line[found.stray + 1 :]}"


def _after_cut(before: str, at: str) -> str:
    found = _scan(before + (at if at != "," else ""))
    return found.quote + "".join(_CLOSERS[one] for one in reversed(found.brackets))
