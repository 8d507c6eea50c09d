"""String literals, comments and docstrings of generated code, escaped so that no text can end them.

Invisible characters (controls, bidirectional marks, unassigned code points) are always
escaped. Strings and comments also escape characters that are not one column wide, as
the layout counts characters.
"""

from __future__ import annotations

import re
from unicodedata import ucd_3_2_0

_NAMED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}

# Pragmas, which tools obey at the start of a comment and after `#` or `;`.
# PEP 263 finds `coding:` anywhere in a comment of the first two lines.
_PRAGMA = re.compile(
    r"(?:\A|(?<=[#;]))\s*(?P<tool>noqa|nosec|(?:type|fmt|yapf|isort|pragma|pyright|pylint"
    r"|mypy|ruff|ty|flake8)\s*[:=])|(?P<coding>coding(?=[:=]))",
    re.IGNORECASE,
)


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_visible(char: str) -> bool:
    """Whether a character is visible, by Unicode 3.2, whose tables do not change."""
    if char in " \u00ad":  # Unicode 3.2 counts the soft hyphen as punctuation
        return char == " "
    return ucd_3_2_0.category(char)[0] not in "CZ"


def _is_plain(char: str) -> bool:
    """Whether a character is visible and one column wide in every terminal."""
    is_narrow = char < "\u0590" or "\u2010" <= char < "\u2300"
    return is_narrow and _is_visible(char) and ucd_3_2_0.category(char)[0] != "M"


def string(value: str) -> str:
    """A string literal, in the quotes that need fewer escapes; double quotes if equal."""
    if value.isascii() and value.isprintable() and not {'"', "\\"} & set(value):
        return f'"{value}"'
    quote = "'" if value.count('"') > value.count("'") else '"'
    special = {**_NAMED, quote: "\\" + quote}
    body = (special.get(c) or (c if _is_plain(c) else _escape(c)) for c in value)
    return quote + "".join(body) + quote


def number(value: float) -> str:
    """A number without its sign, with the shortest exponent."""
    if isinstance(value, int):
        return str(abs(value))
    mantissa, exponent, digits = repr(abs(value)).partition("e")
    return mantissa + exponent + (str(int(digits)) if digits else "")


def comment(text: str) -> str:
    """`# text` on one line, or "" for no text; never a tool's pragma, such as `noqa`."""
    line = " ".join(text.split())
    if not line:
        return ""
    line = _PRAGMA.sub(_break_pragma, line)
    if not (line.isascii() and line.isprintable()):
        line = "".join(c if _is_plain(c) else _escape(c) for c in line)
    return "# " + line


def _break_pragma(match: re.Match[str]) -> str:
    word = match["tool"] or match["coding"]
    head = match[0][: len(match[0]) - len(word)]
    return head + _escape(word[0]) + word[1:]


def docstring(text: str, indent: int) -> str:
    """A docstring indented to its column.

    White space at both ends is removed. The closing quotes of a docstring of several
    lines are on their own line.
    """
    first, *rest = _dedent(text)
    if not rest:
        return f'"""{_after_quotes(_before_quotes(first))}"""'
    pad = " " * indent
    lines = [_after_quotes(_escape_line(first)), *map(_escape_line, rest)]
    body = "\n".join(pad + line if line else "" for line in lines)
    return f'"""{body.removeprefix(pad)}\n{pad}"""'


def _dedent(text: str) -> list[str]:
    """The lines of a docstring, dedented as by inspect.cleandoc, without trailing white space."""
    first, *rest = text.replace("\r\n", "\n").strip().split("\n")
    depths = [len(line) - len(line.lstrip(" ")) for line in rest if line.strip()]
    margin = min(depths, default=0)
    return [first.rstrip(), *(line[margin:].rstrip() for line in rest)]


def _escape_line(line: str) -> str:
    """A line with invisible characters escaped, which cannot end the docstring."""
    if line.isascii() and line.isprintable() and not {'"', "\\"} & set(line):
        return line
    chars = (_NAMED.get(c) or (c if _is_visible(c) else _escape(c)) for c in line)
    return "".join(chars).replace('""', '"\\"')


def _before_quotes(line: str) -> str:
    """A line that closing quotes follow."""
    return _escape_line(line[:-1]) + '\\"' if line.endswith('"') else _escape_line(line)


def _after_quotes(line: str) -> str:
    """A line that follows opening quotes."""
    return "\\" + line if line.startswith('"') else line
