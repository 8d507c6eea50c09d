"""An SVG file as it is published: titles, names of parts, links, and a style sheet for light and dark."""

import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

import pytest

from compiler import Program
from compiler.diagnostics.diagnostic import RequestError
from compiler.diagram.themes import THEMES
from tests.compiler.diagram.specs import typed
from tests.programs import compiled

SVG = "{http://www.w3.org/2000/svg}"
BROKEN = """
    name: Net
    inputs: {x: "float[B, 8]"}
    layers:
      narrow: {op: linear, out_features: 4}
      sum: {op: add, in: [x, narrow]}
"""


def _root(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def _groups(svg: str) -> dict[str, ElementTree.Element]:
    groups = _root(svg).iter(f"{SVG}g")
    return {group.attrib["id"]: group for group in groups}


def test_a_picture_has_a_title_and_a_description() -> None:
    root = _root(compiled("gpt2").diagram().svg)
    title, description = root[0], root[1]
    assert (title.tag, title.text) == (f"{SVG}title", "GPT2")
    assert description.text == (
        "Decoder-only Transformer language model. 124,439,808 parameters. "
        "Input: tokens int[B, T]. Output: logits float[B, T, 50257]."
    )
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == " ".join(
        element.attrib["id"] for element in (title, description)
    )


def test_parts_are_named_by_the_paths_of_layers() -> None:
    groups = _groups(compiled("gpt2").diagram().svg)
    attention = groups["GPT2.h.attn.attention"]
    assert attention.get("class") == "node lg-layer lg-attention"
    assert attention.findtext(f"{SVG}title") == "h.attn.attention"
    assert groups["GPT2.h.attn"].get("class") == "cluster lg-level-1"
    assert groups["GPT2.tokens"].get("class") == "node lg-input"
    assert groups["GPT2.logits.output"].get("class") == "node lg-output"
    edge = groups["GPT2.h.attn.attention--GPT2.h.attn.c_proj"]
    assert edge.get("class") == "edge lg-flow lg-main"
    assert edge.findtext(f"{SVG}title") == "attention → c_proj: float[B, T, 768]"


@pytest.mark.parametrize("spec", ["transformer", "unet", "jamba", "wavegan", "tft"])
def test_ids_are_unique(spec: str) -> None:
    svg = compiled(spec).diagram().svg
    found = Counter(re.findall(r' id="([^"]*)"', svg))
    assert [name for name, count in found.items() if count > 1] == []


def test_one_file_serves_light_and_dark_pages() -> None:
    (style,) = _root(compiled("cnn").diagram().svg).iter(f"{SVG}style")
    text = style.text or ""
    assert "@media(prefers-color-scheme:dark){.lg-auto{" in text
    assert '[data-theme="dark"] .lg-auto' in text
    light, dark = (f"--lg-paper:{THEMES[name].paper}" for name in ("light", "dark"))
    assert (text.count(light), text.count(dark)) == (2, 2)
    assert ".layergraph .lg-conv :is(path,polygon,ellipse)" in text
    assert "lg-attention" not in text  # it does not occur
    (fixed,) = _root(compiled("cnn").diagram(theme="dark").svg).iter(f"{SVG}style")
    assert "@media" not in (fixed.text or "")


def test_every_family_has_a_rule_in_a_style_sheet_that_uses_only_what_it_declares() -> (
    None
):
    (style,) = _root(compiled("clip").diagram(key=True).svg).iter(f"{SVG}style")
    text = style.text or ""
    declared = set(re.findall(r"(--[\w-]+):", text))
    assert set(re.findall(r"var\((--[\w-]+)\)", text)) == declared - {
        name for name in declared if name.endswith("-ink") and "block" in name
    }


def test_programs_without_custom_properties_see_the_same_picture() -> None:
    with_styles = compiled("cnn").diagram().svg
    without = re.sub("<style>.*?</style>", "", with_styles, flags=re.DOTALL)
    assert "<style>" not in without
    images = [
        subprocess.run(
            ["rsvg-convert"], input=text.encode(), capture_output=True, check=True
        ).stdout
        for text in (with_styles, without)
    ]
    assert images[0] == images[1]


def test_layers_link_to_their_lines() -> None:
    program = compiled("gpt2")
    root = _root(program.diagram(links="https://example.org/blob/main/").svg)
    lines = Path("specs/gpt2.yaml").read_text(encoding="utf-8").splitlines()
    targets = {
        link.attrib["href"] for link in root.iter(f"{SVG}a") if "href" in link.attrib
    }
    start = "https://example.org/blob/main/specs/gpt2.yaml#L"
    assert all(target.startswith(start) for target in targets)
    linked = {
        lines[int(target.removeprefix(start)) - 1].split()[0] for target in targets
    }
    assert {"tokens:", "wte:", "h:", "attn:", "c_proj:", "logits:"} <= linked
    assert root.get("role") == "graphics-document document"
    assert not list(_root(program.diagram().svg).iter(f"{SVG}a"))


@pytest.mark.parametrize(
    "prefix", ["javascript:alert(1)//", " data:text/html,", "a\nb"]
)
def test_links_that_run_something_are_refused(prefix: str) -> None:
    with pytest.raises(RequestError):
        compiled("cnn").diagram(links=prefix)


def test_a_fault_has_a_shape_of_its_own(tmp_path: Path) -> None:
    groups = _groups(Program(typed(tmp_path, BROKEN)).diagram().svg)
    sum, edge = groups["Net.sum"], groups["Net.narrow--Net.sum"]
    (stop_sign,) = sum.iter(f"{SVG}polygon")
    assert len(stop_sign.attrib["points"].split()) == 9  # eight corners and the start
    assert len(list(edge.iter(f"{SVG}path"))) == 2  # a double line
    assert "lg-fault" in sum.attrib["class"] and "lg-fault" in edge.attrib["class"]


def test_a_key_explains_what_occurs(tmp_path: Path) -> None:
    program = compiled("wavenet")
    drawn = program.diagram(key=True)
    texts = {
        box.caption.one_line for box in drawn.drawing.boxes if box.cluster == "key"
    }
    assert {"conv", "activation", "block folded", "in some copies", "+ add"} <= texts
    assert not {"recurrent", "pooling", "has an error"} & texts
    labels = {
        edge.label for edge in drawn.drawing.edges if edge.source.startswith("key")
    }
    assert "to the next copy or step" in labels and "tied weights" not in labels
    assert ">Key<" in drawn.svg and "Key" in drawn.mermaid
    assert ">Key<" not in program.diagram().svg
