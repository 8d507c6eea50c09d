"""The colours of a diagram, in each theme."""

from __future__ import annotations

from typing import Final

from compiler.dataclass import dataclass
from compiler.diagram.drawing import ThemeName
from compiler.op.op import Colour
from compiler.op.registry import family_colour


@dataclass(frozen=True, slots=True)
class Paint:
    """The colours of a box."""

    fill: str
    border: str


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a picture."""

    name: ThemeName
    paper: str
    ink: str
    muted: str
    line: str
    faint: str
    """Of the lines that lead past layers."""
    badge: str
    fault: str
    tie: str
    levels: tuple[Paint, ...]
    """Of clusters, by how deep they lie; then again from the first."""
    block: Paint
    join: Paint
    plain: Paint
    """Of op families that have no colour of their own."""


# Fills differ in lightness and not in hue alone, so that they stay apart in grey: what
# mixes positions is darkest, then what learns, then what only shapes or squeezes.
_COLOURS: Final[dict[Colour, dict[ThemeName, Paint]]] = {
    "orange": {
        "light": Paint("#f5b99b", "#9c4012"),
        "dark": Paint("#7a3413", "#f0a27c"),
        "print": Paint("#b4b4b4", "#000000"),
    },
    "pink": {
        "light": Paint("#efbfd8", "#93296b"),
        "dark": Paint("#6b2350", "#e79cc6"),
        "print": Paint("#bebebe", "#000000"),
    },
    "teal": {
        "light": Paint("#b4dcd7", "#166a63"),
        "dark": Paint("#16524d", "#7fcfc6"),
        "print": Paint("#cbcbcb", "#000000"),
    },
    "blue": {
        "light": Paint("#cfe2f6", "#2f689f"),
        "dark": Paint("#234a70", "#8fbdea"),
        "print": Paint("#d8d8d8", "#000000"),
    },
    "violet": {
        "light": Paint("#ddd2f2", "#6a50ad"),
        "dark": Paint("#463677", "#b9a5ee"),
        "print": Paint("#d0d0d0", "#444444"),
    },
    "amber": {
        "light": Paint("#fbecc4", "#a47812"),
        "dark": Paint("#5b4712", "#e0bd5e"),
        "print": Paint("#ececec", "#555555"),
    },
    "green": {
        "light": Paint("#e6f3da", "#55832a"),
        "dark": Paint("#33491d", "#a5cf7d"),
        "print": Paint("#f6f6f6", "#555555"),
    },
    "slate": {
        "light": Paint("#d5dae3", "#55627a"),
        "dark": Paint("#3a4354", "#a7b4ca"),
        "print": Paint("#e2e2e2", "#555555"),
    },
}


def family_paint(family: str, theme: Theme) -> Paint | None:
    """The colours of the boxes of an op family; None where its ops declare none."""
    colour = family_colour(family)
    return None if colour is None else _COLOURS[colour][theme.name]


THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        name="light",
        paper="#ffffff",
        ink="#14181f",
        muted="#4d5663",
        line="#3f4753",
        faint="#8a94a3",
        badge="#a8470f",
        fault="#c4161c",
        tie="#6a50ad",
        levels=(Paint("#f8f9fb", "#8b95a3"), Paint("#eef3f9", "#7f97b5")),
        block=Paint("#f1f5fa", "#5d7ba0"),
        join=Paint("#ffffff", "#3f4753"),
        plain=Paint("#f6f7f8", "#8b95a3"),
    ),
    "dark": Theme(
        name="dark",
        paper="#14171c",
        ink="#eef1f5",
        muted="#b3bcc9",
        line="#aab3c0",
        faint="#75808f",
        badge="#ffab70",
        fault="#ff6b6b",
        tie="#b9a5ee",
        levels=(Paint("#1b2027", "#586373"), Paint("#222933", "#63748b")),
        block=Paint("#27303c", "#7d97b8"),
        join=Paint("#14171c", "#aab3c0"),
        plain=Paint("#2a3038", "#78838f"),
    ),
    "print": Theme(
        name="print",
        paper="#ffffff",
        ink="#000000",
        muted="#333333",
        line="#222222",
        faint="#777777",
        badge="#000000",
        fault="#b3121d",  # the only colour: what is wrong is not for print
        tie="#222222",
        levels=(Paint("#ffffff", "#555555"), Paint("#f4f4f4", "#555555")),
        block=Paint("#ffffff", "#000000"),
        join=Paint("#ffffff", "#000000"),
        plain=Paint("#ffffff", "#777777"),
    ),
}


def colour_names(theme: Theme) -> dict[str, str]:
    """The colours of a theme, each with its name for LaTeX: `lg-ink`, `lg-blue-fill`.

    >>> colour_names(THEMES["light"])["#cfe2f6"]
    'lg-blue-fill'
    """
    plain = ("ink", "muted", "line", "faint", "badge", "fault", "tie", "paper")
    names = {getattr(theme, name): f"lg-{name}" for name in reversed(plain)}
    paints: dict[str, Paint] = {
        colour: by_theme[theme.name] for colour, by_theme in _COLOURS.items()
    }
    paints |= {"block": theme.block, "join": theme.join, "plain": theme.plain}
    for number, paint in enumerate(theme.levels, 1):
        paints[f"frame{number}"] = paint
    for name, paint in paints.items():
        names.setdefault(paint.fill, f"lg-{name}-fill")
        names.setdefault(paint.border, f"lg-{name}-line")
    return names
