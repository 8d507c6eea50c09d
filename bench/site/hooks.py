"""What MkDocs does beyond its configuration, `mkdocs.yml`: pages of ops and architectures, links to other files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from bench.site.links import FILES, with_site_links
from bench.site.op_pages import op_pages
from bench.site.zoo_pages import thumbnails, uses, zoo_pages
from bench.timing import ROOT
from compiler.write_files import write_whole

SPECS = "build/site-specs"
"""The folder of the specs of the examples of ops."""
_TOP = {
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
}


@cache
def _made() -> dict[str, str]:
    """The pages that are made, by their paths; specs of examples are written for them."""
    made = op_pages(f"/{SPECS}")
    write_whole({ROOT / SPECS / name: text for name, text in made.specs.items()})
    return dict(made.pages) | zoo_pages()


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Complete the table of contents."""
    ops = [name for name in _made() if name.startswith("ops/")]
    zoo = [
        {use.capitalize(): [f"zoo/{name}.md" for name in names]}
        for use, names in uses().items()
    ]
    for section in config.nav or ():
        if "Ops" in section:
            section["Ops"] = sorted(
                ops, key=lambda name: (name != "ops/index.md", name)
            )
        if "Zoo" in section:
            section["Zoo"] = ["zoo/index.md", *zoo]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and those that other documents link to."""
    for name, text in _made().items():
        files.append(File.generated(config, name, content=text))
    for source, name in _TOP.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        moved = with_site_links(text, source, name)
        files.append(File.generated(config, name, content=moved))
    for name, svg in thumbnails():
        files.append(File.generated(config, name, content=svg))
    for file in _linked_files():
        name = f"{FILES}/{file}"
        text = (ROOT / file).read_text(encoding="utf-8")
        if name.endswith(".md"):
            text = with_site_links(text, file, name)
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Turn links to files of the repository into links to where the site has them."""
    if page.file.generated_by is not None:
        return markdown
    return with_site_links(markdown, f"docs/{page.file.src_uri}", page.file.src_uri)


def _linked_files() -> list[str]:
    """The files of the repository that documents link to and that are no pages."""
    found: dict[str, None] = {}
    for document in sorted((ROOT / "docs").glob("*.md")):
        name = f"docs/{document.name}"
        text = document.read_text(encoding="utf-8")
        with_site_links(text, name, document.name, lambda file: found.setdefault(file))
    return [name for name in found if Path(ROOT / name).is_file()]
