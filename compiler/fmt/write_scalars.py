"""Scalars as canonical YAML: plain where possible, else quoted."""

from __future__ import annotations

import re
import textwrap

from compiler.parse.document import ScalarNode
from compiler.parse.scalars import NumberTooLarge, resolve

_STARTS = re.compile(r"[\s,\[\]{}#&*!|>'\"%@`]|[-?:](?:\s|\Z)|---|\.\.\.")
_BREAKS = re.compile(r":(?:\s|\Z)|\s#|[\n\r\t]|\s\Z")
_BREAKS_FLOW = re.compile(r"[,\[\]{}]|\A[-?:]|:\Z")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def inline(scalar: ScalarNode, *, flow: bool) -> str:
    """A scalar on one line. Inside brackets (`flow`), more text must be quoted.

    >>> from compiler.diagnostics.source import Span
    >>> place = Span("a.yaml", 1, 1, 1, 1)
    >>> types = ScalarNode("float[B, T]", "float[B, T]", place)
    >>> inline(types, flow=False), inline(types, flow=True)
    ('float[B, T]', '"float[B, T]"')
    """
    value = scalar.value
    if isinstance(value, str):
        return value if _is_plain(value, flow) else _quoted(value)
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else scalar.text


def block(text: str, indent: int, width: int) -> str | None:
    """A text as a block scalar, on lines below its key.

    Args:
        indent: the indentation of the lines.
        width: maximum length of a line, with its indentation.

    Returns:
        None if the text is better on one line, quoted if necessary.
    """
    if "\n" in text:
        return _literal(text, indent)
    if "  " in text or text != text.strip():
        return None
    lines = textwrap.wrap(
        text, width - indent, break_long_words=False, break_on_hyphens=False
    )
    if not text.isprintable() or any(line.startswith(("#", "- ")) for line in lines):
        return None
    return _indented(">-", lines, indent)


def _literal(text: str, indent: int) -> str | None:
    style = "|" if text.endswith("\n") else "|-"
    lines = text.removesuffix("\n").split("\n")
    to_data = lines[0].strip() and lines[0][0] != " " and lines[-1].strip()
    if not to_data or not all(line.isprintable() for line in lines):
        return None
    return _indented(style, lines, indent)


def _indented(style: str, lines: list[str], indent: int) -> str:
    margin = " " * indent
    return "\n".join([style, *(margin + line if line else "" for line in lines)])


def _is_plain(text: str, flow: bool) -> bool:
    if not text or not text.isprintable() or _STARTS.match(text):
        return False
    if _BREAKS.search(text) or (flow and _BREAKS_FLOW.search(text)):
        return False
    try:
        return isinstance(resolve(text), str)
    except NumberTooLarge:
        return False


def _quoted(text: str) -> str:
    if "'" not in text and ('"' in text or "\\" in text) and text.isprintable():
        return f"'{text}'"
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    return char if char.isprintable() else f"\\U{ord(char):08x}"
