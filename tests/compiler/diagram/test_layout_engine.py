"""The layout engine: formats, determinism and errors."""

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from importlib import metadata
from pathlib import Path

import pytest

from compiler.diagnostics.diagnostic import DiagramError
from compiler.diagram import layout_engine
from compiler.diagram.layout_engine import (
    ImageFormat,
    LayoutTooLargeError,
    render_dot,
)
from compiler.diagram.text_metrics import text_width

SMALL = 'digraph G { graph [fontname="Helvetica"]; a [label="linear"]; a -> b; }'
SVG = "{http://www.w3.org/2000/svg}"

# So dense that no layout engine finishes in seconds.
EDGES = "; ".join(f"n{i * 31 % 400} -> n{i * i % 397}" for i in range(4000))
ENDLESS = f"digraph {{ {EDGES} }}"


@pytest.mark.parametrize(
    ("format", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG\r\n"), ("pdf", b"%PDF-")]
)
def test_each_format_is_valid_and_deterministic(
    format: ImageFormat, magic: bytes
) -> None:
    image = render_dot(SMALL, format)
    assert image.startswith(magic)
    assert image == render_dot(SMALL, format)


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
    ("dot", "reason"),
    [
        ("digraph { a -> ", "syntax error in line 1"),
        ("digraph { a [label=<<B>x</I>>] }", "mismatched tag"),
        ("", "no output"),
        ('digraph { a [label="\x1b[31m"] }', "U+001B"),
        ('digraph { a [label="\ud800"] }', "U+D800"),
    ],
)
def test_a_bad_graph_gives_a_reason_on_one_line(dot: str, reason: str) -> None:
    with pytest.raises(DiagramError, match=reason.replace("+", r"\+")) as caught:
        render_dot(dot, "svg")
    assert "\n" not in str(caught.value)


def test_a_layout_is_stopped_on_timeout() -> None:
    before = os.times()
    with pytest.raises(DiagramError, match=r"more than 0\.2 s and was stopped"):
        render_dot(ENDLESS, "svg", timeout=0.2)
    assert os.times().children_user - before.children_user < 5


def test_a_layout_has_limited_processor_time() -> None:
    before = os.times()
    with pytest.raises(LayoutTooLargeError, match="1 s of processor time"):
        render_dot(ENDLESS, "svg", timeout=300)
    assert os.times().children_user - before.children_user < 4


def test_an_svg_has_fonts_that_viewers_have_and_the_widths_of_the_layout() -> None:
    root = ElementTree.fromstring(render_dot(SMALL, "svg"))
    families = root.attrib["font-family"].split(",")
    assert families[:3] == ["Helvetica", "Arial", "Liberation Sans"]
    assert families[-1] == "sans-serif"
    texts = list(root.iter(f"{SVG}text"))
    assert not [text for text in texts if "font-family" in text.attrib]
    (linear,) = [text for text in texts if text.text == "linear"]
    length = text_width("linear", float(linear.attrib["font-size"]))
    assert float(linear.attrib["textLength"]) == pytest.approx(length, abs=0.01)


def test_a_pdf_has_its_fonts_embedded_and_a_title() -> None:
    pdf = render_dot(SMALL, "pdf", title="Net (a)", subject="A network.")
    fonts = re.findall(rb"/BaseFont /([\w+-]+)", pdf)
    assert fonts and all(font.startswith(b"AAAAAA+DejaVuSans") for font in fonts)
    assert len(re.findall(rb"/FontFile2", pdf)) == len(set(fonts))
    assert rb"/Title (Net \(a\))" in pdf and b"/Subject (A network.)" in pdf


def test_the_wheel_is_found_without_PATH(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert render_dot(SMALL, "svg").startswith(b"<?xml")


def test_a_missing_wheel_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", absent)
    with pytest.raises(DiagramError, match="install the graphviz-pure package"):
        render_dot(SMALL, "svg")


def test_a_missing_system_dot_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(DiagramError, match="no dot program"):
        render_dot(SMALL, "svg", engine="system")


@pytest.mark.parametrize("format", ["svg", "png"])
def test_the_system_engine_is_the_dot_on_PATH(
    format: ImageFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dot").symlink_to(layout_engine._wheel_binary())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert render_dot(SMALL, format, engine="system") == render_dot(SMALL, format)


def test_only_a_pdf_imports_the_converter() -> None:
    code = (
        "import sys, compiler.diagram.layout_engine as e; e.render_dot('digraph{a}', 'svg');"
        "sys.exit(any(m in sys.modules for m in ('svglib', 'reportlab', 'graphviz')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
