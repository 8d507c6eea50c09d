"""Looks at the built site: nothing is loaded from elsewhere, every link leads somewhere, and what the pages weigh.

python -m bench.site.check_site [DIR]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bench.timing import ROOT

SITE = ROOT / "build/site"
MOST = 700_000
"""Bytes of the largest page."""
_URL = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
_LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "link": "href",
    "use": "href",
    "image": "href",
}
_NOT_LOADED = {"canonical", "alternate", "next", "prev", "edit"}


class PageLinks(HTMLParser):
    """What a page loads, where it leads, and the names of its places."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.ids: set[str] = set()
        self.doubled: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links and the id of an element."""
        found = {name: value or "" for name, value in attrs}
        if name := found.get("id"):
            if name in self.ids:
                self.doubled.append(name)
            self.ids.add(name)
        if tag == "a" and "href" in found:
            self.leads.append(found["href"])
        key = _LOADED.get(tag)
        if key in found and found.get("rel") not in _NOT_LOADED:
            self.loads.append(found[key])
        self.loads += (part for part in _urls(found.get("style", "")))

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        """Note what a style sheet in the page loads."""
        if self.lasttag == "style":
            self.loads += _urls(data)


def problems(site: Path) -> Iterator[str]:
    """What is wrong with a built site."""
    pages = {file: PageLinks(file.read_text(encoding="utf-8")) for file in _pages(site)}
    for file, page in pages.items():
        where = file.relative_to(site)
        yield from (f"{where}: loads {one}" for one in page.loads if _is_elsewhere(one))
        yield from (f"{where}: two places are called {one}" for one in page.doubled)
        if (size := file.stat().st_size) > MOST:
            yield f"{where}: has {size:,} bytes"
        for link in (*page.loads, *page.leads):
            if problem := _broken(link, file, site, pages):
                yield f"{where}: {problem}"
    for file in site.rglob("*.css"):
        for one in _urls(file.read_text(encoding="utf-8")):
            if _is_elsewhere(one):
                yield f"{file.relative_to(site)}: loads {one}"


def _pages(site: Path) -> list[Path]:
    return sorted(file for file in site.rglob("*.html") if file.name != "404.html")


def _broken(link: str, file: Path, site: Path, pages: dict[Path, PageLinks]) -> str:
    """What is wrong with a link; "" for nothing."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ""
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if target.is_dir():
        target = target / "index.html"
    if not target.is_relative_to(site) or not target.is_file():
        return f"leads to {link}, which is not there"
    anchor = unquote(parts.fragment)
    known = pages.get(target)
    if anchor and known and anchor not in known.ids and not anchor.startswith("only-"):
        return f"leads to {link}, where nothing has this name"
    return ""


def _is_elsewhere(link: str) -> bool:
    parts = urlsplit(link)
    return bool(parts.netloc) or parts.scheme in ("http", "https")


def _urls(text: str) -> list[str]:
    return [a or b for a, b in _URL.findall(text)]


def main() -> int:
    """Print what the pages weigh, and what is wrong."""
    site = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else SITE
    sizes = sorted((file.stat().st_size, file) for file in _pages(site))
    whole = sum(file.stat().st_size for file in site.rglob("*") if file.is_file())
    median, (largest, heaviest) = sizes[len(sizes) // 2][0], sizes[-1]
    print(
        f"{len(sizes)} pages, {whole / 1e6:.0f} MB; a page has {median / 1e3:.0f} kB in the median, "
        f"and {largest / 1e3:.0f} kB at most ({heaviest.relative_to(site)})"
    )
    found = list(problems(site))
    for one in found[:50]:
        print(one, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
