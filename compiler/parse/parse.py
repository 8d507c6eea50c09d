"""Source -> Document.

The subset of YAML is deliberately small, so that files can be read line by line and
nothing in them expands: one document, no tags, no anchors, no duplicate keys.
"""

from __future__ import annotations

import re
from itertools import islice

from compiler.diagnostics.diagnostic import Report
from compiler.diagnostics.limits import Limits
from compiler.diagnostics.replacement import Replacement
from compiler.diagnostics.source import Source
from compiler.diagnostics.text import INVISIBLE, escaped
from compiler.parse.document import Document, MappingNode
from compiler.parse.gc_pause import gc_paused
from compiler.parse.read_nodes import read_nodes

_TAG_DIRECTIVE = re.compile(r"(?<![^\r\n])%TAG[^\r\n]*")
_DEFAULT = Limits()


def parse(source: Source, limits: Limits = _DEFAULT) -> Document:
    r"""Parse a file.

    Raises:
        SpecError: with all errors up to the first syntax error or exceeded limit, after
            which nothing can be read reliably.

    >>> parse(Source("a.yaml", "name: Net\nparams: {width: 3}")).root.get("name").value
    'Net'
    """
    report = Report()
    _check_text(source, limits, report)
    report.raise_if_failed()
    with gc_paused():
        root = read_nodes(source, limits, report)
    report.raise_if_failed()
    assert isinstance(root, MappingNode)  # anything else has been reported
    return Document(source, root)


def _check_text(source: Source, limits: Limits, report: Report) -> None:
    text = source.text
    if len(text.encode(errors="surrogatepass")) > limits.bytes:
        message = f"the file is larger than {limits.bytes:,} bytes"
        report.error("too-large", source.span(0, 0), message)
        return
    for hidden in islice(INVISIBLE.finditer(text), 1_000):
        message = f"the text contains the invisible character {escaped(hidden[0])}"
        span = source.span(hidden.start(), hidden.end())
        help = Replacement("remove it", hidden[0], "")
        report.error("control-character", span, message, help=help)
    # libyaml compares all tag directives pairwise: thousands of them would take minutes.
    if match := _TAG_DIRECTIVE.search(text):
        span = source.span(match.start(), match.end())
        message = "YAML directives are not supported"
        report.error("yaml-directive", span, message, help="remove the line")
