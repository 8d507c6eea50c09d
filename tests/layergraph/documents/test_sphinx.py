"""The extension for Sphinx: views, dependencies, warnings with their places, and text that stays text."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from tests.layergraph.documents.projects import BLOCKS, write

CONF = 'project = "Docs"\nextensions = ["layergraph.sphinx"]\nnumfig = True\n'


def project(folder: Path, index: str) -> Path:
    return write(folder, {"conf.py": CONF, "index.rst": f"Title\n=====\n\n{index}\n"})


def build(folder: Path, builder: str = "html", parallel: int = 1) -> tuple[Sphinx, str]:
    """Build a project; the warnings come back."""
    warnings = io.StringIO()
    with docutils_namespace():
        app = Sphinx(
            folder,
            folder,
            folder / "_build" / builder,
            folder / "_build/doctrees",
            builder,
            status=None,
            warning=warnings,
            parallel=parallel,
        )
        app.build()
    return app, warnings.getvalue()


def page(folder: Path) -> str:
    return (folder / "_build/html/index.html").read_text(encoding="utf-8")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_diagram_is_part_of_the_page(here: Path) -> None:
    project(
        here,
        """
See :numref:`net`.

.. layergraph:: specs/net.yaml
   :caption: A *small* network
   :name: net
   :width: 60%
   :alt: Two blocks

.. layergraph:: specs/net.yaml
   :block: Mlp

.. layergraph:: cnn
""",
    )
    _, warnings = build(here)
    assert not warnings
    text = page(here)
    assert text.count("<svg") == 3
    assert 'aria-label="Two blocks"' in text and "width:60%" in text
    assert "A <em>small</em> network" in text and "Fig. 1" in text
    ids = re.findall(r'\bid="(layergraph-[^"]*)"', text)
    assert ids and len(ids) == len(set(ids))


def test_code_and_tables_are_nodes_of_the_document(here: Path) -> None:
    views = "\n".join(
        f".. layergraph:: specs/net.yaml\n   :view: {view}\n   :caption: Caption of {view}\n   :set: depth=3\n"
        for view in ("code", "spec", "summary", "table")
    )
    project(here, views)
    _, warnings = build(here)
    assert not warnings
    text = page(here)
    assert (
        '<span class="k">class</span><span class="w"> </span><span class="nc">Mlp</span>'
        in text
    )
    assert "depth: int = 3" in re.sub("<[^>]*>", "", text)
    assert text.count("<table") == 2 and text.count("Caption of ") == 4
    assert "float[B, 8]" in text


def test_a_page_is_drawn_again_when_a_file_of_the_spec_changes(here: Path) -> None:
    project(here, ".. layergraph:: specs/net.yaml\n")
    build(here)
    assert "linear 8 → 16" in page(here)
    app, _ = build(here)
    assert not list(app.builder.get_outdated_docs())
    blocks = here / "specs/blocks.yaml"
    blocks.write_text(BLOCKS.replace("WIDTH", "32"))
    os.utime(blocks, ns=(2**61, 2**61))
    build(here)
    assert "linear 8 → 32" in page(here)


def test_errors_are_warnings_at_their_places(here: Path) -> None:
    project(
        here,
        ".. layergraph:: specs/wrong.yaml\n\n.. layergraph:: specs/wrong.yaml\n   :view: code\n",
    )
    _, warnings = build(here)
    first = re.sub(r"\x1b\[[\d;]*m", "", warnings).splitlines()[0]
    assert first.startswith(
        "specs/wrong.yaml:5:22: WARNING: add needs shapes that broadcast"
    )
    assert "[layergraph.shape-mismatch]" in first
    text = page(here)
    assert text.count("<svg") == 1, "drawn with its fault"
    assert "error[shape-mismatch]" in text


@pytest.mark.parametrize(
    ("directive", "said"),
    [
        ("specs/none.yaml", "index.rst:4: WARNING: there is no file"),
        ("specs/net.yaml\n   :block: Mlpp", "did you mean `Mlp`?"),
        (
            "specs/net.yaml\n   :depth: deep",
            "depth must be a number of levels, and is deep",
        ),
        ("specs/net.yaml\n   :set: dept=3", "did you mean `depth`?"),
        ("specs/net.yaml\n   :width: 1;x", "width must be a length"),
    ],
)
def test_wrong_options_are_told(here: Path, directive: str, said: str) -> None:
    project(here, f".. layergraph:: {directive}\n")
    _, warnings = build(here)
    assert said in re.sub(r"\x1b\[[\d;]*m", "", warnings)


def test_a_page_that_folds_is_a_file_beside_the_pictures(here: Path) -> None:
    project(
        here, ".. layergraph:: specs/hostile.yaml\n   :view: html\n   :width: 80%\n"
    )
    _, warnings = build(here)
    assert not warnings
    (frame,) = re.findall(r"<iframe[^>]*>", page(here))
    assert 'sandbox="allow-scripts"' in frame and "width:80%" in frame
    (url,) = re.findall(r'src="([^"]*)"', frame)
    shown = (here / "_build/html" / url).read_text(encoding="utf-8")
    assert "<script>alert" not in shown and "Content-Security-Policy" in shown
    build(here, "epub")
    assert "<iframe" not in (here / "_build/epub/index.xhtml").read_text()


def test_latex_gets_tikz_and_text_the_summary(here: Path) -> None:
    project(here, ".. layergraph:: specs/net.yaml\n   :caption: The network\n")
    build(here, "latex")
    latex = next((here / "_build/latex").glob("*.tex")).read_text(encoding="utf-8")
    assert r"\usepackage{tikz}" in latex and latex.count(r"\begin{tikzpicture}") == 1
    build(here, "text")
    text = (here / "_build/text/index.txt").read_text(encoding="utf-8")
    assert "Net: x float[B, 8] -> y float[B, 8]" in text and "parameters: 560" in text
    build(here, "man")
    assert "parameters: 560" in next((here / "_build/man").glob("*.1")).read_text()


def test_documents_are_read_and_written_in_parallel(here: Path) -> None:
    files = {
        f"page{n}.rst": f"P{n}\n===\n\n.. layergraph:: specs/net.yaml\n"
        for n in range(12)
    }
    write(here, files)
    project(here, ".. toctree::\n   :glob:\n\n   page*\n")
    _, warnings = build(here, parallel=2)
    assert not warnings
    for n in range(12):
        assert "<svg" in (here / f"_build/html/page{n}.html").read_text(
            encoding="utf-8"
        )


def test_text_of_a_spec_stays_text(here: Path) -> None:
    views = ("diagram", "code", "spec", "summary", "table")
    project(
        here,
        "\n".join(
            f".. layergraph:: specs/hostile.yaml\n   :view: {one}\n" for one in views
        ),
    )
    _, warnings = build(here)
    assert not warnings
    text = page(here)
    assert "<script>alert" not in text and "<img src=x" not in text
    assert "&lt;script&gt;alert(1)" in text
    build(here, "latex")
    latex = next((here / "_build/latex").glob("*.tex")).read_text(encoding="utf-8")
    assert r"\input{/etc" not in latex and r"\write18{" not in latex.replace(
        r"\PYGZbs{}write18\PYGZob{}", ""
    )
    build(here, "text")


def test_what_draws_for_documents_needs_no_tool_of_documents() -> None:
    code = (
        "import sys, layergraph.__main__, layergraph.documents.show_figure;"
        "sys.exit(bool({'sphinx', 'docutils', 'mkdocs', 'markdown', 'torch'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
