"""An SVG file that is fit to publish: with a title and a description, names for its parts, and a style sheet."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from compiler.diagnostics.text import printable
from compiler.diagram.drawing import Drawing
from compiler.diagram.stylesheet import stylesheet, text_roles, theme_class
from compiler.diagram.themes import theme_of

_SVG = "http://www.w3.org/2000/svg"
_LINK = "{http://www.w3.org/1999/xlink}"


def annotated_svg(svg: str, drawing: Drawing) -> str:
    """Complete an SVG file that Graphviz wrote.

    Its names for parts, such as `n12`, give way to what the parts are called; viewers show them under the pointer.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _LINK[1:-1])
    # Written by Graphviz a moment ago from escaped text; it declares no entities.
    root = ElementTree.fromstring(svg)
    _describe(root, drawing)
    roles = text_roles(theme_of(drawing.theme))
    for group in list(root.iter(_tag("g"))):
        kind = group.get("class", "").partition(" ")[0]
        if kind in ("node", "edge", "cluster"):
            _name(group)
        elif kind == "graph":
            _open_graph(group)
    for text in root.iter(_tag("text")):
        role = roles.get(text.get("fill", ""))
        if role is not None:
            text.set("class", role)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _describe(root: Element, drawing: Drawing) -> None:
    name = f"layergraph-{drawing.title.name or 'network'}"
    has_links = any(True for _ in _links(root))
    root.set("class", f"layergraph {theme_class(drawing)}")
    # A picture with the role `img` hides what is in it from screen readers, which must not happen to links.
    root.set("role", "graphics-document document" if has_links else "img")
    root.set("aria-labelledby", f"{name}-title {name}-description")
    title = _element("title", drawing.title.name or "Network", id=f"{name}-title")
    about = _element("desc", _description(drawing), id=f"{name}-description")
    style = _element("style", stylesheet(drawing))
    for at, element in enumerate((title, about, style)):
        element.tail = "\n"
        root.insert(at, element)


def _description(drawing: Drawing) -> str:
    """What the picture shows, for those who do not see it."""
    parts = list(drawing.title.lines)
    for kind in ("input", "output"):
        names = [box.caption.one_line for box in drawing.boxes if box.kind == kind]
        if names:
            parts.append(f"{kind.title()}{'s' * (len(names) > 1)}: {', '.join(names)}")
    return " ".join(part if part.endswith(".") else f"{part}." for part in parts)


def _name(group: Element) -> None:
    """Give a part the title that Graphviz wrote into a link around it, and take away a link that leads nowhere."""
    title = group.find(_tag("title"))
    wrapped = [child for child in group if child.tag == _tag("g")]
    for wrapper in wrapped:
        (link,) = wrapper
        text = link.attrib.pop(f"{_LINK}title", "").strip()
        if title is not None and text:
            title.text = printable(text)
        target = link.attrib.pop(f"{_LINK}href", "")
        at = list(group).index(wrapper)
        group.remove(wrapper)
        if target:
            link.set("href", target)
            link.set(f"{_LINK}href", target)  # for programs before SVG 2
            group.insert(at, link)
        else:
            for inner in reversed(link):
                group.insert(at, inner)


def _open_graph(group: Element) -> None:
    """Name the background, and leave out the title, which is that of the whole file."""
    for title in group.findall(_tag("title")):
        group.remove(title)
    background = group.find(_tag("polygon"))
    if background is not None:
        background.set("class", "lg-paper")


def _links(root: Element) -> Iterator[Element]:
    return (one for one in root.iter(_tag("a")) if one.get(f"{_LINK}href"))


def _element(tag: str, text: str, **attributes: str) -> Element:
    element = Element(_tag(tag), attributes)
    element.text = text
    return element


def _tag(name: str) -> str:
    return f"{{{_SVG}}}{name}"
