"""The colours of a diagram, in each theme."""

from __future__ import annotations

from typing import Final, Literal

from compiler.dataclass import dataclass
from compiler.diagram.drawing import ThemeName
from compiler.op.op import Colour
from compiler.op.registry import family_colour

PaletteName = Literal["light", "dark", "print"]


@dataclass(frozen=True, slots=True)
class Paint:
    """The colours of a box."""

    fill: str
    border: str
    ink: str = ""
    """Of all text in the box; "" for the theme's own."""


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a picture."""

    name: PaletteName
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


_DARK, _LIGHT = "#14181f", "#ffffff"  # text on fills

# Fills differ in lightness, and not in hue alone: by 8 or more (CIEDE2000) in grey and for readers without green cones.
_COLOURS: Final[dict[Colour, dict[PaletteName, Paint]]] = {
    "green": {
        "light": Paint("#f3feea", "#5f8048", _DARK),
        "dark": Paint("#1f2a17", "#7a9a62", _LIGHT),
        "print": Paint("#fcfcfc", "#555555", "#000000"),
    },
    "amber": {
        "light": Paint("#f7cf8a", "#9a6c1c", _DARK),
        "dark": Paint("#553c0d", "#cd9e55", _LIGHT),
        "print": Paint("#d6d6d6", "#444444", "#000000"),
    },
    "blue": {
        "light": Paint("#85bae6", "#02699a", _DARK),
        "dark": Paint("#065e8d", "#78b0e4", _LIGHT),
        "print": Paint("#b5b5b5", "#333333", "#000000"),
    },
    "orange": {
        "light": Paint("#e47d4e", "#94401d", _DARK),
        "dark": Paint("#e18652", "#fecdad", _DARK),
        "print": Paint("#999999", "#000000", "#000000"),
    },
    "teal": {
        "light": Paint("#05837f", "#044744", _LIGHT),
        "dark": Paint("#097d77", "#6dcbc4", _LIGHT),
        "print": Paint("#767676", "#000000", _LIGHT),
    },
    "violet": {
        "light": Paint("#5d55a7", "#302c68", _LIGHT),
        "dark": Paint("#8a7ac5", "#d7ccf5", _DARK),
        "print": Paint("#616161", "#000000", _LIGHT),
    },
    "slate": {
        "light": Paint("#3b495b", "#1a2530", _LIGHT),
        "dark": Paint("#aebbcb", "#e2e9f1", _DARK),
        "print": Paint("#4a4a4a", "#000000", _LIGHT),
    },
    "pink": {
        "light": Paint("#5d093a", "#30051e", _LIGHT),
        "dark": Paint("#fecee2", "#fef4f8", _DARK),
        "print": Paint("#313131", "#000000", _LIGHT),
    },
}


def family_paint(family: str, theme: Theme) -> Paint | None:
    """The colours of the boxes of an op family; None where its ops declare none."""
    colour = family_colour(family)
    return None if colour is None else _COLOURS[colour][theme.name]


def theme_of(name: ThemeName) -> Theme:
    """The colours of a picture; those of `auto`, for viewers that do not choose, are the light ones."""
    return THEMES["light" if name == "auto" else name]


THEMES: dict[PaletteName, Theme] = {
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

    >>> colour_names(THEMES["light"])["#85bae6"]
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
    names.setdefault(_DARK, "lg-ink-on-light")
    names.setdefault(_LIGHT, "lg-ink-on-dark")
    return names
