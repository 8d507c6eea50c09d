"""The plugin for MkDocs: views, strict builds, what is watched, and text that stays text."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig

from layergraph.mkdocs import LayerGraphPlugin
from tests.layergraph.documents.projects import BLOCKS, write

CONFIG = """
site_name: Docs
theme: {name: THEME}
plugins: [search, layergraph]
markdown_extensions: [fenced_code, admonition]
"""


def project(folder: Path, index: str, theme: str = "mkdocs") -> MkDocsConfig:
    files = {"mkdocs.yml": CONFIG.replace("THEME", theme), "docs/index.md": index}
    write(folder, files)
    return load_config(str(folder / "mkdocs.yml"))


def build(config: MkDocsConfig) -> None:
    config.plugins.on_startup(command="build", dirty=False)
    mkdocs_build(config)


def page(config: MkDocsConfig) -> str:
    return (Path(config.site_dir) / "index.html").read_text(encoding="utf-8")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fence(options: str) -> str:
    return f"```layergraph\n{options}\n```\n"


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING
    ]


def test_views_of_a_spec(here: Path, caplog: pytest.LogCaptureFixture) -> None:
    views = ("diagram", "code", "spec", "summary", "table")
    index = "# Title\n\n" + "\n".join(
        fence(f"spec: /specs/net.yaml\nview: {one}\nset: [depth=3]") for one in views
    )
    config = project(here, index)
    build(config)
    assert not told(caplog)
    text = page(config)
    assert text.count("<svg") == 1
    assert (
        '<th scope="row">parameters</th>' in text
        and '<th scope="col">FLOPs</th>' in text
    )
    assert "class Mlp(nn.Module):" in re.sub("<[^>]*>", "", text)
    assert "depth: int = 3" in re.sub("<[^>]*>", "", text)


def test_a_figure_has_its_caption_and_name(here: Path) -> None:
    config = project(
        here,
        fence("spec: /specs/net.yaml\ncaption: A <b> network\nname: net\nwidth: 50%"),
    )
    build(config)
    text = page(config)
    assert "<figcaption>A &lt;b&gt; network</figcaption>" in text
    assert 'id="net"' in text and "width:50%" in text


def test_a_width_of_print_is_that_of_a_figure_that_can_be_read(here: Path) -> None:
    config = project(here, fence("spec: gpt2\nwidth: 85mm"))
    build(config)
    text = page(config)
    assert 'width="241pt"' in text and "width:85mm" in text


def test_fences_in_lists_and_in_other_fences(here: Path) -> None:
    item = "- item\n\n    ```layergraph\n    spec: cnn\n    ```\n"
    inside = f"{item}\n!!! note\n\n    ~~~ layergraph\n    spec: cnn\n    ~~~\n"
    config = project(here, f"{inside}\n````markdown\n{fence('spec: cnn')}````\n")
    build(config)
    text = page(config)
    assert text.count("<svg") == 2
    assert "```layergraph" in text


def test_errors_have_places_and_fail_a_strict_build(
    here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index = "---\ntitle: T\n---\n\n# Title\n\n"
    wrong = (
        fence("spec: /specs/wrong.yaml")
        + "\n"
        + fence("spec: cnn\ndepht: 2")
        + "\n"
        + fence("spec: /specs/none.yaml")
    )
    config = project(here, index + wrong)
    build(config)
    found = told(caplog)
    assert found[0].startswith(
        "layergraph: specs/wrong.yaml:5:22: add needs shapes that broadcast"
    )
    assert found[1:] == [
        "layergraph: index.md:11: there is no option depht; did you mean `depth`?",
        "layergraph: index.md:16: there is no file specs/none.yaml",
    ]
    assert page(config).count("<svg") == 1


def test_all_files_of_a_spec_are_watched(here: Path) -> None:
    class Server:
        watched: list[str] = []  # noqa: RUF012

        def watch(self, path: str) -> None:
            self.watched.append(Path(path).name)

    config = project(here, fence("spec: /specs/net.yaml"))
    build(config)
    plugin = config.plugins["layergraph"]
    assert isinstance(plugin, LayerGraphPlugin)
    server = Server()
    plugin.on_serve(server, config=config, builder=lambda: None)  # type: ignore[arg-type]
    assert sorted(server.watched) == ["blocks.yaml", "net.yaml"]
    assert "linear 8 → 16" in page(config)
    (here / "specs/blocks.yaml").write_text(BLOCKS.replace("WIDTH", "32"))
    (here / "docs/index.md").write_text(
        fence("spec: /specs/net.yaml") + fence("spec: /specs/hostile.yaml")
    )
    again = load_config(str(here / "mkdocs.yml"))
    again.plugins["layergraph"] = plugin
    again.plugins = config.plugins
    build(again)
    assert sorted(server.watched) == ["blocks.yaml", "hostile.yaml", "net.yaml"]
    assert "linear 8 → 32" in page(again)


def test_a_page_that_folds_is_a_file_of_the_site(here: Path) -> None:
    write(here, {"docs/guide/deep.md": fence("spec: /specs/hostile.yaml\nview: html")})
    config = project(here, "# Title\n")
    build(config)
    deep = Path(config.site_dir) / "guide/deep"
    text = (deep / "index.html").read_text(encoding="utf-8")
    (url,) = re.findall(r'<iframe src="([^"]*)"[^>]*sandbox="allow-scripts"', text)
    shown = (deep / url).resolve().read_text(encoding="utf-8")
    assert "<script>alert" not in shown and "Content-Security-Policy" in shown


def test_material_finds_captions_and_not_the_words_of_a_picture(here: Path) -> None:
    config = project(
        here, "# Title\n\n" + fence("spec: cnn\ncaption: Findable"), "material"
    )
    build(config)
    found = json.loads((Path(config.site_dir) / "search/search_index.json").read_text())
    words = " ".join(one["text"] for one in found["docs"])
    assert "max_pool2d" in page(config) and "max_pool2d" not in words


def test_text_of_a_spec_stays_text(here: Path) -> None:
    views = ("diagram", "code", "spec", "summary", "table")
    config = project(
        here,
        "\n".join(fence(f"spec: /specs/hostile.yaml\nview: {one}") for one in views),
    )
    build(config)
    text = page(config)
    assert (
        "<script>alert" not in text
        and "<img src=x" not in text
        and 'javascript:alert(3)"' not in text
    )
    assert text.count("&lt;script&gt;alert(1)") >= 3
    assert "<em>em</em>" not in text
