"""An SVG file as part of an HTML page."""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree

_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK: Final = "http://www.w3.org/1999/xlink"
_REFERRING: Final = ("aria-labelledby", "aria-describedby")


def embed_svg(svg: str, prefix: str, *, alt: str = "", width: str = "") -> str:
    """The `svg` element of a file that LayerGraph wrote, for a page that may hold others.

    Args:
        svg: the text of the file.
        prefix: comes before its ids, which are then those of no other picture on the page.
        alt: the text in place of the picture; "" for its own title.
        width: a length of CSS; "" for its own, or that of the page where this is smaller.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    # Written by Graphviz from escaped text; it declares no entities.
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        if "id" in element.attrib:
            element.set("id", f"{prefix}{element.attrib['id']}")
        for key in _REFERRING:
            if key in element.attrib:
                names = element.attrib[key].split()
                element.set(key, " ".join(f"{prefix}{name}" for name in names))
    labelled = any(key in root.attrib for key in _REFERRING)
    if alt or not labelled:
        for key in _REFERRING:
            root.attrib.pop(key, None)
        root.set("role", root.get("role", "img"))
        root.set("aria-label", alt or "Diagram")
    own = f"width:{width};" if width else ""
    root.set("style", f"{own}max-width:100%;height:auto")
    return ElementTree.tostring(root, encoding="unicode").strip()
