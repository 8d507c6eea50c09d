"""The reference page of all error codes, docs/errors.md.

`python -m compiler.reporting.errors_page` regenerates it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from compiler.diagnostics.codes import CODE_GROUPS
from compiler.diagnostics.diagnostic import Diagnostic, SpecError
from compiler.diagnostics.render import render_all
from compiler.pipeline import compile_spec

PAGE = Path("docs/errors.md")
EXAMPLES = Path("tests/mistakes")

_MAX_LINES = 14  # of an example
_COMMENT = re.compile(r"(?:#.*\n)*")
_EXPECTED = re.compile(r"^# (?:error|warning)\[([a-z0-9-]+)\]", re.MULTILINE)
_HEAD = """# Error codes

Generated from the compiler's codes by `make docs`.

Each error and each warning has a stable code, which `layergraph check --json` prints
with the message, the position, the path through the blocks and the help. The codes are
listed here by topic, with examples for those that a short spec can show.
"""


def errors_page(folder: Path = EXAMPLES) -> str:
    """The page, in Markdown.

    Args:
        folder: specs with errors. Each starts with comments that list the codes of its errors.
    """
    examples = dict(_examples(folder))
    parts = [_HEAD]
    for topic, codes in CODE_GROUPS.items():
        parts.append(f"## {topic}\n")
        for code, sentence in codes.items():
            parts.append(f"### {code}\n\n{sentence}\n")
            parts.extend(examples.get(code, ()))
    return "\n".join(parts)


def _examples(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """For each code, the shortest spec whose only error has it, with the message as printed."""
    specs: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        comment = _COMMENT.match(text)
        head = comment[0] if comment else ""
        codes = _EXPECTED.findall(head)
        if len(codes) == 1:
            specs.setdefault(codes[0], []).append(text.removeprefix(head))
    for code, texts in specs.items():
        for text in sorted(texts, key=lambda text: (text.count("\n"), len(text))):
            printed = _printed(text, code)
            if printed is not None and text.count("\n") <= _MAX_LINES:
                yield code, [f"```yaml\n{text}```\n", f"```text\n{printed}```\n"]
                break


def _printed(text: str, code: str) -> str | None:
    """What the compiler prints of a spec alone in a folder; None unless that is one error of this code."""
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("net.yaml").write_text(text, encoding="utf-8")
        diagnostics = _diagnostics(Path("net.yaml"))
        shown = render_all(diagnostics)
    return shown if [one.code for one in diagnostics] == [code] else None


def _diagnostics(path: Path) -> tuple[Diagnostic, ...]:
    try:
        return compile_spec(path).check()
    except SpecError as error:
        return error.diagnostics


if __name__ == "__main__":
    PAGE.write_text(errors_page(), encoding="utf-8")
