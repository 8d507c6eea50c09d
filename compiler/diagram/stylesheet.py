"""The style sheet of an SVG file: its colours as custom properties, so that a page or a reader can change them.

Each part of a picture has a class: `lg-linear` and the like for the families of ops, `lg-block`, `lg-join`, `lg-skip`.
All parts have their colours as attributes as well, for programs that know no custom properties.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from compiler.diagram.drawing import Drawing
from compiler.diagram.families import families_in
from compiler.diagram.themes import THEMES, Paint, Theme, family_paint, theme_of

# What pages switch to dark with: an attribute or a class of an element around the picture.
_DARK_PAGES = (
    '[data-theme="dark"]',
    '[data-md-color-scheme="slate"]',
    '[data-bs-theme="dark"]',
    ".dark",
)
_LIGHT_PAGES = (
    '[data-theme="light"]',
    '[data-md-color-scheme="default"]',
    '[data-bs-theme="light"]',
    ".light",
)


def stylesheet(drawing: Drawing) -> str:
    """The style sheet for a drawing, with the families that occur in it.

    A picture in the theme `auto` is dark where the reader prefers that, or where an element around it says so as the
    usual themes of documentation do (`data-theme="dark"`); the element has the last word.
    """
    families = families_in(drawing)
    itself = f".{theme_class(drawing)}"
    rules = [_rule(itself, _values(theme_of(drawing.theme), families))]
    if drawing.theme == "auto":
        dark, light = (_values(THEMES[name], families) for name in ("dark", "light"))
        rules += [
            f"@media(prefers-color-scheme:dark){{{_rule(itself, dark)}}}",
            _rule(_inside(_LIGHT_PAGES, itself), light),
            _rule(_inside(_DARK_PAGES, itself), dark),
        ]
    parts = *_COMMON, *_of_levels(drawing), *map(_family, families), *_FAULTS
    return "\n".join([*rules, *parts])


def theme_class(drawing: Drawing) -> str:
    """The class of a whole picture that says its theme: one page may have pictures in several."""
    return f"lg-{drawing.theme}"


def text_roles(theme: Theme) -> dict[str, str]:
    """The classes of text by its colour; other text has the colour of what it is in."""
    return {theme.muted: "lg-muted", theme.badge: "lg-badge"}


def _inside(pages: tuple[str, ...], itself: str) -> str:
    return ",".join(f"{page} {itself}" for page in pages)


def _rule(selector: str, values: Mapping[str, str]) -> str:
    return (
        f"{selector}{{{';'.join(f'{name}:{value}' for name, value in values.items())}}}"
    )


def _values(theme: Theme, families: list[str]) -> dict[str, str]:
    """The custom properties of a theme."""
    plain = ("paper", "ink", "muted", "line", "faint", "badge", "fault", "tie")
    values = {f"--lg-{name}": str(getattr(theme, name)) for name in plain}
    for name in ("block", "join", "plain"):
        values |= _paint(name, getattr(theme, name))
    for number, paint in enumerate(theme.levels):
        values |= _paint(f"level-{number}", paint)
    for name in families:
        found = family_paint(name, theme)
        assert found is not None, name
        values |= _paint(name, found)
    return values


def _paint(name: str, paint: Paint) -> dict[str, str]:
    parts = {"fill": paint.fill, "line": paint.border, "ink": paint.ink}
    return {f"--lg-{name}-{part}": colour for part, colour in parts.items() if colour}


def _shapes(selector: str, name: str) -> str:
    """The rules for the outlines of boxes; an outline without a fill is a second line around another."""
    shapes = f".layergraph {selector} :is(path,polygon,ellipse)"
    return (
        f"{shapes}{{stroke:var(--lg-{name}-line)}}\n"
        f"{shapes}:not([fill=none]){{fill:var(--lg-{name}-fill)}}"
    )


def _lines(selector: str, name: str) -> str:
    """The rules for arrows: their lines and heads."""
    arrow = f".layergraph {selector}"
    return (
        f"{arrow} path{{stroke:var(--lg-{name})}}\n"
        f"{arrow} polygon{{stroke:var(--lg-{name});fill:var(--lg-{name})}}"
    )


def _text(selector: str, name: str) -> str:
    return f".layergraph {selector}{{fill:var(--lg-{name})}}"


def _family(name: str) -> str:
    return f"{_shapes(f'.lg-{name}', name)}\n{_text(f'.node.lg-{name} text', f'{name}-ink')}"


def _of_levels(drawing: Drawing) -> Iterator[str]:
    levels = range(len(theme_of(drawing.theme).levels)) if drawing.clusters else ()
    for number in levels:
        yield _shapes(f".lg-level-{number}", f"level-{number}")


_COMMON = (
    _text(".lg-paper", "paper"),
    _text("text", "ink"),
    _text("text.lg-muted", "muted"),
    _text("text.lg-badge", "badge"),
    *(_shapes(f".lg-{name}", name) for name in ("block", "join", "plain")),
    ".layergraph .lg-port ellipse{stroke:var(--lg-line);fill:var(--lg-line)}",
    ".layergraph .lg-elided path{stroke:var(--lg-muted)}",
    _lines(".edge", "line"),
    _text(".edge text", "muted"),
    _lines(".lg-skip", "faint"),
    _lines(".lg-loop", "badge"),
    _text(".lg-loop text", "badge"),
    _lines(".lg-tie", "tie"),
    _text(".lg-tie text", "tie"),
    ".layergraph a{text-decoration:none}",
)
_FAULTS = (
    ".layergraph .lg-fault :is(path,polygon,ellipse){stroke:var(--lg-fault)}",
    ".layergraph .edge.lg-fault polygon{fill:var(--lg-fault)}",
    _text(".edge.lg-fault text", "fault"),
)
