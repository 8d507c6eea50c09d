"""The sections of docs/soundness.md that a script writes: between `<!-- NAME -->` and `<!-- end of NAME -->`."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "soundness.md"


def section(name: str) -> str:
    """The text of a section."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(_start(name))
    return rest.partition(_end(name))[0]


def write_section(name: str, text: str) -> None:
    """Replace the text of a section.

    Raises:
        ValueError: where the page has no section of this name.
    """
    before, start, rest = PAGE.read_text(encoding="utf-8").partition(_start(name))
    _, end, after = rest.partition(_end(name))
    if not (start and end):
        raise ValueError(f"{PAGE.name} has no section {name!r}")
    PAGE.write_text(f"{before}{start}{text}{end}{after}", encoding="utf-8")


def _start(name: str) -> str:
    return f"<!-- {name} -->\n"


def _end(name: str) -> str:
    return f"<!-- end of {name} -->\n"
