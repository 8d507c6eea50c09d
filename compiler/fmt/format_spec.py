"""`fmt`: a spec in its canonical layout, with its comments and the same meaning."""

from __future__ import annotations

from pathlib import Path

from compiler.diagnostics.limits import UNLIMITED, Limits
from compiler.diagnostics.read_source import read_source
from compiler.diagnostics.source import Source
from compiler.fmt.items import read_items
from compiler.fmt.layout import layout
from compiler.parse.document import to_data
from compiler.parse.parse import parse

_DEFAULT = Limits()


def format_spec(source: Source, limits: Limits = _DEFAULT) -> str:
    r"""The text of a spec in its canonical layout.

    Raises:
        SpecError: if it is not valid YAML, or uses YAML that specs do not support.

    >>> format_spec(Source("a.yaml", "layers: { a: {op: linear,out_features: 3} } # one"))
    'layers:  # one\n  a: {op: linear, out_features: 3}\n'
    """
    document = parse(source, limits)
    text = layout(read_items(document))
    again = parse(Source(source.file, text), UNLIMITED)
    # `repr`, because 1, 1.0 and true are equal but not the same.
    assert repr(to_data(again.root)) == repr(to_data(document.root)), (
        "the meaning changed"
    )
    return text


def format_file(path: Path, limits: Limits = _DEFAULT) -> str | None:
    """The text of a file in the canonical layout; None if it has that layout already.

    Raises:
        SpecError: if the file cannot be read or parsed.
    """
    source = read_source(path, limits.bytes)
    text = format_spec(source, limits)
    return None if text.encode() == path.read_bytes() else text
