"""Diagrams in documents as readers see them: a site of MkDocs with Material, a page of Sphinx, a cell of a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from mkdocs.commands.build import build
from mkdocs.config import load_config
from playwright.sync_api import Page, expect

import layergraph as lg
from tests.browser.conftest import Opener
from tests.layergraph.documents.projects import write

CONFIG = """
site_name: Docs
theme:
  name: material
  font: false
  palette:
    - {scheme: default, toggle: {icon: material/brightness-7, name: dark}}
    - {scheme: slate, toggle: {icon: material/brightness-4, name: light}}
plugins: [search, layergraph]
"""
INDEX = """
# First page

```layergraph
spec: cnn
caption: A classifier of digits
alt: A chain of convolutions
```

```layergraph
spec: cnn
width: 100%
direction: LR
```
"""
FOLDING = """
# Folding

```layergraph
spec: gpt2
view: html
```
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site of two pages."""
    folder = tmp_path_factory.mktemp("site")
    files = {"mkdocs.yml": CONFIG, "docs/index.md": INDEX, "docs/folding.md": FOLDING}
    config = load_config(str(write(folder, files) / "mkdocs.yml"), strict=True)
    build(config)
    handler = partial(_Quiet, directory=config.site_dir)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def colour(page: Page, selector: str) -> str:
    found: str = page.locator(selector).first.evaluate(
        "one => getComputedStyle(one).fill"
    )
    return found


def serious(page: Page) -> list[tuple[str, list[str]]]:
    """What is wrong with what is ours: the theme's own faults are its makers'."""
    found = Axe().run(page, context=".layergraph-figure").response["violations"]
    return [
        (one["id"], [node["html"][:120] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def test_a_diagram_follows_the_palette_of_the_page(site: str, opened: Opener) -> None:
    one = opened(site)
    page = one.page
    assert colour(page, ".lg-paper") == "rgb(255, 255, 255)"
    page.click("label[title=dark]")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    assert colour(page, ".lg-paper") != "rgb(255, 255, 255)"
    assert colour(page, "svg.layergraph text") != "rgb(20, 24, 31)"
    assert [url for url in one.requests if not url.startswith(site)] == []


def test_a_page_with_diagrams_is_accessible(site: str, opened: Opener) -> None:
    page = opened(site).page
    expect(page.get_by_role("img", name="A chain of convolutions")).to_be_visible()
    assert serious(page) == []


def test_the_search_finds_a_caption(site: str, opened: Opener) -> None:
    page = opened(site).page
    page.click(".md-search__input")
    ready = page.locator(".md-search-result__meta")
    expect(ready).to_have_text("Type to start searching", timeout=20_000)
    page.keyboard.type("classifier of digits")
    found = page.locator(".md-search-result__item").first
    expect(found).to_contain_text("First page", timeout=20_000)


def test_a_folding_page_works_in_its_frame(site: str, opened: Opener) -> None:
    one = opened(f"{site}folding/")
    frame = one.page.frame_locator("iframe")
    inside = frame.locator(one.key("0/h/attn/c_attn"))
    expect(inside).to_be_visible()
    root = frame.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    one.page.click("label[title=dark]")
    expect(root).to_have_attribute("data-theme", "dark")
    frame.locator("#fold").click()
    expect(inside).to_have_count(0)
    assert [url for url in one.requests if not url.startswith(site)] == []


def test_a_cell_of_a_notebook_shows_a_page_that_folds(
    tmp_path: Path, opened: Opener
) -> None:
    cell = lg.compile("gpt2").diagram()._repr_mimebundle_()["text/html"]
    (tmp_path / "cell.html").write_text(f"<!doctype html><title>Cell</title>{cell}")
    one = opened((tmp_path / "cell.html").as_uri())
    inside = one.page.frame_locator("iframe").locator(one.key("0/h/attn/c_attn"))
    expect(inside).to_be_visible()
