"""The drawing engine: what comes out, that it repeats, and how it fails."""

import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from importlib import metadata
from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import DiagramError
from compiler.diagram import layout_engine
from compiler.diagram.layout_engine import ImageFormat, render_dot

SMALL = 'digraph G { graph [fontname="Helvetica"]; a [label="linear"]; a -> b; }'
SVG = "{http://www.w3.org/2000/svg}"

# Dense enough that no layout engine ends it in seconds.
EDGES = "; ".join(f"n{i * 31 % 400} -> n{i * i % 397}" for i in range(4000))
ENDLESS = f"digraph {{ {EDGES} }}"


@pytest.mark.parametrize(
    ("format", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG\r\n"), ("pdf", b"%PDF-")]
)
def test_each_format_is_what_it_says_and_repeats(
    format: ImageFormat, magic: bytes
) -> None:
    picture = render_dot(SMALL, format)
    assert picture.startswith(magic)
    assert picture == render_dot(SMALL, format)


def test_labels_reach_the_svg_as_text() -> None:
    label = r"""<script>alert(1)</script> & "T" 'x' Σ × 模型 é"""
    escaped = label.replace('"', r"\"")
    root = ElementTree.fromstring(
        render_dot(f'digraph {{ a [label="{escaped}"] }}', "svg")
    )
    assert label in [text.text for text in root.iter(f"{SVG}text")]
    assert not list(root.iter(f"{SVG}script"))


def test_pdf_has_the_size_of_the_svg() -> None:
    root = ElementTree.fromstring(render_dot(SMALL, "svg"))
    width, height = (float(root.attrib[side][:-2]) for side in ("width", "height"))
    box = f"/MediaBox [ 0 0 {width:g} {height:g} ]".encode()
    assert box in render_dot(SMALL, "pdf")


@pytest.mark.parametrize(
    ("dot", "said"),
    [
        ("digraph { a -> ", "syntax error in line 1"),
        ("digraph { a [label=<<B>x</I>>] }", "mismatched tag"),
        ("", "it drew nothing"),
        ('digraph { a [label="\x1b[31m"] }', "U+001B"),
        ('digraph { a [label="\ud800"] }', "U+D800"),
    ],
)
def test_a_bad_graph_is_one_line_of_reason(dot: str, said: str) -> None:
    with pytest.raises(DiagramError, match=said.replace("+", r"\+")) as caught:
        render_dot(dot, "svg")
    assert "\n" not in str(caught.value)


def test_a_layout_that_takes_too_long_is_stopped() -> None:
    start = time.monotonic()
    with pytest.raises(DiagramError, match=r"more than 0\.2 s and was stopped"):
        render_dot(ENDLESS, "svg", timeout=0.2)
    assert time.monotonic() - start < 5


def test_the_wheel_is_found_without_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert render_dot(SMALL, "svg").startswith(b"<?xml")


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", absent)
    with pytest.raises(DiagramError, match="install the graphviz-pure package"):
        render_dot(SMALL, "svg")


def test_a_missing_system_dot_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DiagramError, match="no dot program"):
        render_dot(SMALL, "svg", engine="system")


@pytest.mark.parametrize("format", ["svg", "png"])
def test_the_system_engine_is_the_dot_on_the_path(
    format: ImageFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dot").symlink_to(layout_engine._wheel_binary())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert render_dot(SMALL, format, engine="system") == render_dot(SMALL, format)


def test_the_converter_is_imported_for_a_pdf_only() -> None:
    code = (
        "import sys, compiler.diagram.layout_engine as e; e.render_dot('digraph{a}', 'svg');"
        "sys.exit(any(m in sys.modules for m in ('svglib', 'reportlab', 'graphviz')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
