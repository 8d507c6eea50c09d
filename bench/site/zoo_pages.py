"""The pages of the architectures: a gallery by use, and for each its picture, its layers, its spec and its code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from bench.timing import ROOT
from bench.zoo import PAGE, Entry, cited, entries
from compiler.diagram.drawing import ThemeName

_README = ROOT / "README.md"
_ANCHOR = re.compile(r"\(#(\w+)\)")
_FILE = re.compile(r"`(\w+)\.yaml`(?: \(([^)]*)\))?")
_ROW = re.compile(r"^\| (?P<use>[^|]+) \| (?P<files>`\w+\.yaml`.*) \|$", re.MULTILINE)
_THEMES: tuple[ThemeName, ...] = ("light", "dark")
THUMBNAILS = "assets/zoo"
"""The folder of the site for the pictures of the gallery."""


@cache
def _every() -> dict[str, Entry]:
    return {entry.file.stem: entry for entry in entries()}


def zoo_pages() -> dict[str, str]:
    """All pages, by their paths."""
    every = _every()
    pages = {f"zoo/{name}.md": _page(entry) for name, entry in every.items()}
    return pages | {"zoo/index.md": _gallery(every)}


def uses() -> dict[str, list[str]]:
    """What architectures are for, and their names, as the README has them."""
    table = _README.read_text(encoding="utf-8").partition("## Architectures")[2]
    return {
        row["use"].strip(): [found[1] for found in _FILE.finditer(row["files"])]
        for row in _ROW.finditer(table)
    }


@cache
def thumbnails() -> tuple[tuple[str, str], ...]:
    """The pictures of the gallery by their paths: light and dark ones, for a page cannot colour an image."""
    return tuple(
        (
            f"{THUMBNAILS}/{name}-{theme}.svg",
            entry.program.diagram(depth=1, theme=theme).svg,
        )
        for name, entry in _every().items()
        for theme in _THEMES
    )


def _page(entry: Entry) -> str:
    spec, name = entry.program.typed.graph.spec, entry.file.stem
    about = "\n\n".join(filter(None, (spec.description, cited(spec.reference))))
    file = f"/specs/{name}.yaml"
    tabs = {
        "Diagram": _fence(file),
        "Explore": _fence(file, view="html"),
        "Layers": _fence(file, view="table", depth="2", align="left"),
        "Spec": _fence(file, view="spec"),
        "PyTorch": _fence(file, view="code"),
    }
    parts = [
        f"---\ntitle: {spec.name}\nhide: [toc]\n---\n",
        f"# {spec.name}\n",
        f"{about}\n",
        _fence(file, view="summary", align="left"),
        # The search ends what it leaves out at the next end of an element of this name.
        "<section data-search-exclude markdown>\n",
        *(f'=== "{title}"\n\n{_indented(body)}' for title, body in tabs.items()),
        "</section>\n",
    ]
    return "\n".join(parts)


def _fence(file: str, **options: str) -> str:
    lines = [f"spec: {file}", *(f"{key}: {value}" for key, value in options.items())]
    body = "\n".join(lines)
    return f"```layergraph\n{body}\n```\n"


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in text.splitlines())


def _gallery(every: Mapping[str, Entry]) -> str:
    head, _, rest = PAGE.read_text(encoding="utf-8").partition("\n\n")
    about, _, table = rest.partition("\n|")
    table = f"|{table.partition(chr(10) * 2)[0]}"
    lines = about[about.index("Lines are") :]
    linked = "\n".join(_linked_rows(table.splitlines(), every))
    parts = [
        "---\nhide: [toc]\n---\n",
        f"{head}\n",
        f"{len(every)} architectures, each a file that `layergraph build NAME` compiles.\n",
        *(_cards(use, names, every) for use, names in uses().items()),
        f"## Sizes\n\n{lines}\n{linked}\n",
    ]
    return "\n".join(parts)


def _linked_rows(rows: list[str], every: Mapping[str, Entry]) -> Iterator[str]:
    """The rows of the table, each with a link to its page."""
    for row in rows:
        link = _ANCHOR.search(row)
        if link is None or link[1] in every:
            yield _ANCHOR.sub(r"(\1.md)", row)


def _cards(use: str, names: list[str], every: Mapping[str, Entry]) -> str:
    cards = "\n".join(_card(name, every[name]) for name in names)
    return f'## {use.capitalize()}\n\n<div class="lg-gallery" markdown>\n\n{cards}\n</div>\n'


def _card(name: str, entry: Entry) -> str:
    title = entry.program.typed.graph.spec.name
    pictures = "".join(
        f"![](../{THUMBNAILS}/{name}-{theme}.svg#only-{theme}){{ loading=lazy }}"
        for theme in _THEMES
    )
    size = f"{_short(entry.parameters)} parameters"
    return f"[{pictures}<span>{title}</span><small>{size}</small>]({name}.md){{ .lg-card }}\n"


def _short(number: int) -> str:
    for unit, name in ((10**9, "B"), (10**6, "M"), (10**3, "K")):
        if number >= unit:
            return f"{number / unit:.3g} {name}"
    return str(number)
