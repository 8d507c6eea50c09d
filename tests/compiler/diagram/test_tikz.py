"""TikZ: all that is drawn is there, escaped; a document compiles where there is a TeX."""

import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from compiler.diagram.drawing import Box, Caption, Cluster, Drawing, Edge
from compiler.diagram.formats import tex, tikz
from compiler.diagram.picture import Picture
from compiler.diagram.tex_text import escape_tex
from compiler.diagram.themes import THEMES
from tests.programs import compiled

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "\\input{/etc/passwd}\\write18{id}$x$^^41 %#&~_ \\end{document} é模×"

OURS = re.compile(
    "scalebox|lgextra|begingroup|endgroup|providecommand|providecolor|lgfont|lgsize|lgfit|lgchar|sffamily|fontsize|selectfont|resizebox"
    "|height|ifdefined|Uchar|else|fi|begin|end|useasboundingbox|path|fill|node|bfseries|textbackslash|dots|ensuremath"
    "|textasciicircum|textasciitilde|times|rightarrow|cdot|Vert|bullet|[^a-zA-Z]"
)
"""All commands that a picture may have; `\\end` ends the picture alone."""
_COMMAND = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)
_ENGINES = [name for name in ("pdflatex", "lualatex", "tectonic") if shutil.which(name)]


def hostile() -> Drawing:
    caption = Caption(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,))
    boxes = (
        Box("n0", "input", caption),
        Box("n1", "layer", caption, family=HOSTILE, cluster="c0", tooltip=HOSTILE),
        Box("n2", "block", caption, error=HOSTILE, optional=True),
        Box("n3", "join", caption),
    )
    edges = (Edge("n0", "n1", HOSTILE), Edge("n1", "n2", HOSTILE, "tie"))
    return Drawing(caption, boxes, (Cluster("c0", caption, tooltip=HOSTILE),), edges)


def check(text: str) -> None:
    """What TeX would trip over, without a TeX."""
    assert text.isascii()
    strange = [name for name in _COMMAND.findall(text) if not OURS.fullmatch(name)]
    assert strange == []
    assert re.findall(r"\\(?:begin|end)\{(\w+)\}", text) == ["tikzpicture"] * 2
    drawn = text.partition(r"\begin{tikzpicture}")[2]
    plain = re.sub(r"\\.", "", drawn)
    assert "^^" not in plain and not {*"$&#~_%"} & {*plain.replace("}%\n", "")} - {"_"}
    depth = 0
    for brace in re.findall(r"[{}]", re.sub(r"\\[{}\\]", "", text)):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    used = set(re.findall(r"\blg-[\w-]+", drawn))
    assert used == set(re.findall(r"\\providecolor\{([\w-]+)\}", text))


def test_text_is_escaped() -> None:
    text = tikz.render(Picture(hostile()))
    check(text)
    assert text.count(r"\textbackslash{}input\{/etc/passwd\}") >= 8
    assert text.count(r"\textasciicircum{}\textasciicircum{}41 \%\#\&") >= 8
    assert r"\lgchar{6A21}" in text


@pytest.mark.parametrize("char", [chr(code) for code in range(32, 127)])
def test_a_character_stands_for_itself(char: str) -> None:
    shown = escape_tex(f"a{char}{char}b")
    if char.isalnum() or char in " ()*+./:;=@[]!?":
        assert shown == f"a{char}{char}b"
    else:
        assert shown[1:-1] == 2 * escape_tex(char) and escape_tex(char) != char


@pytest.mark.parametrize("name", ["gpt2", "gan", "unet", "rnn"])
def test_all_that_an_svg_shows_is_there(name: str) -> None:
    picture = Picture(compiled(Path(f"specs/{name}.yaml")).diagram().drawing)
    text = tikz.render(picture)
    check(text)
    root = ElementTree.fromstring(picture.image("svg"))
    words = [(one.text or "").strip() for one in root.iter(f"{SVG}text")]
    shown = [escape_tex(one) for one in words if one]
    assert all(one in text for one in shown)
    assert text.count("[anchor=base west") == len(shown)
    shapes = [
        one
        for kind in ("path", "polygon", "ellipse")
        for one in root.iter(f"{SVG}{kind}")
    ]
    assert text.count("\\path[") == len(shapes) - 1, "all but the paper"
    paths = ["-".join(box.path[1:]) for box in picture.drawing.boxes]
    assert all(f"({path}) at (" in text for path in paths if path)


@pytest.mark.parametrize("theme", THEMES)
def test_colours_have_names(theme: str) -> None:
    text = tikz.render(
        Picture(compiled(Path("specs/cnn.yaml")).diagram(theme=theme).drawing)
    )  # type: ignore[arg-type]
    check(text)
    assert "{lg-ink}" in text and "{lg-teal-fill}" in text
    assert not re.search(r"lg-[0-9a-f]{6}\b", text)


def test_a_document_has_the_size_of_the_picture() -> None:
    text = tex.render(Picture(compiled(Path("specs/cnn.yaml")).diagram().drawing))
    page = re.search(r"paperwidth=([\d.]+)bp, paperheight=([\d.]+)bp", text)
    frame = re.search(
        r"\\useasboundingbox \((.*),(.*)\) rectangle \((.*),(.*)\);", text
    )
    assert page and frame
    left, bottom, right, top = map(float, frame.groups())
    found = tuple(map(float, page.groups()))
    assert found == pytest.approx((right - left, top - bottom), abs=0.02)


def test_a_figure_has_the_width_that_is_asked_for() -> None:
    drawing = compiled(Path("specs/gpt2.yaml")).diagram(width="85mm").drawing
    text = tex.render(Picture(drawing))
    page = re.search(r"paperwidth=([\d.]+)bp, paperheight=([\d.]+)bp", text)
    assert page and text.count(r"\scalebox{") == 1
    root = ElementTree.fromstring(Picture(drawing).image("svg"))
    sides = [float(root.attrib[side][:-2]) for side in ("width", "height")]
    assert [float(one) for one in page.groups()] == pytest.approx(sides, abs=1)
    check(tikz.render(Picture(drawing)))


@pytest.mark.parametrize("drawing", ["hostile", "gpt2"])
def test_documents_compile(drawing: str, tmp_path: Path) -> None:
    """By each engine that the machine has; there may be none."""
    drawn = (
        hostile()
        if drawing == "hostile"
        else compiled(Path("specs/gpt2.yaml")).diagram().drawing
    )
    (tmp_path / "net.tex").write_text(tex.render(Picture(drawn)))
    for engine in _ENGINES:
        options = (
            []
            if engine == "tectonic"
            else ["-interaction=nonstopmode", "-halt-on-error"]
        )
        run = subprocess.run(
            [engine, *options, "net.tex"],
            cwd=tmp_path,
            capture_output=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout.decode()
        assert (
            "(1 page" in (tmp_path / "net.log").read_text(errors="replace")
            or engine == "tectonic"
        )
