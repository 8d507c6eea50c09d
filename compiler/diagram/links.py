"""Links from the parts of a picture to the lines of the spec."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from compiler.diagnostics.diagnostic import RequestError
from compiler.diagnostics.source import Span
from compiler.diagnostics.text import printable

_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
_SCHEMES = ("http", "https", "file")


def checked_prefix(prefix: str) -> str:
    """The start of links, as it is.

    Raises:
        RequestError: for a scheme such as `javascript:`, which a viewer would run, and for invisible characters.
    """
    scheme = _SCHEME.match(prefix)
    if scheme is not None and scheme[1].lower() not in _SCHEMES:
        allowed = ", ".join(_SCHEMES)
        raise RequestError(f"links may start with {allowed}, not with {scheme[1]}:")
    if printable(prefix) != prefix:
        raise RequestError(f"{printable(prefix)} cannot be the start of links")
    return prefix


def link_to(prefix: str, place: Span) -> str:
    """The link to the first line of a place; the file as it is seen from the working folder.

    >>> link_to("https://example.org/", Span("specs/gpt2.yaml", 21, 3, 21, 9))
    'https://example.org/specs/gpt2.yaml#L21'
    """
    return f"{link_to_file(prefix, place.file)}#L{place.line}"


def link_to_file(prefix: str, name: str) -> str:
    """The link to a file, as it is seen from the working folder."""
    file, here = Path(name), Path.cwd()
    file = file.relative_to(here) if file.is_relative_to(here) else file
    return f"{prefix}{quote(file.as_posix().lstrip('/'))}"
