"""The colours of op families, in each theme."""

from __future__ import annotations

from dataclasses import dataclass

from compiler.diagram.drawing import ThemeName


@dataclass(frozen=True, slots=True)
class Paint:
    """The colours of a box."""

    fill: str
    border: str


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a picture."""

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
    """Of families that have no colour of their own."""
    families: dict[str, Paint]


# Fills differ in lightness and not in hue alone, so that they stay apart in grey: what
# mixes positions is darkest, then what learns, then what only shapes or squeezes.
_LIGHT = {
    "attention": Paint("#f5b99b", "#9c4012"),
    "recurrent": Paint("#efbfd8", "#93296b"),
    "recurrent_cell": Paint("#efbfd8", "#93296b"),
    "conv": Paint("#b4dcd7", "#166a63"),
    "linear": Paint("#cfe2f6", "#2f689f"),
    "matmul": Paint("#cfe2f6", "#2f689f"),
    "embedding": Paint("#ddd2f2", "#6a50ad"),
    "norm": Paint("#fbecc4", "#a47812"),
    "activation": Paint("#e6f3da", "#55832a"),
    "pooling": Paint("#d5dae3", "#55627a"),
    "resample": Paint("#d5dae3", "#55627a"),
}
_DARK = {
    "attention": Paint("#7a3413", "#f0a27c"),
    "recurrent": Paint("#6b2350", "#e79cc6"),
    "recurrent_cell": Paint("#6b2350", "#e79cc6"),
    "conv": Paint("#16524d", "#7fcfc6"),
    "linear": Paint("#234a70", "#8fbdea"),
    "matmul": Paint("#234a70", "#8fbdea"),
    "embedding": Paint("#463677", "#b9a5ee"),
    "norm": Paint("#5b4712", "#e0bd5e"),
    "activation": Paint("#33491d", "#a5cf7d"),
    "pooling": Paint("#3a4354", "#a7b4ca"),
    "resample": Paint("#3a4354", "#a7b4ca"),
}
_PRINT = {
    "attention": Paint("#b4b4b4", "#000000"),
    "recurrent": Paint("#bebebe", "#000000"),
    "recurrent_cell": Paint("#bebebe", "#000000"),
    "conv": Paint("#cbcbcb", "#000000"),
    "linear": Paint("#d8d8d8", "#000000"),
    "matmul": Paint("#d8d8d8", "#000000"),
    "embedding": Paint("#d0d0d0", "#444444"),
    "norm": Paint("#ececec", "#555555"),
    "activation": Paint("#f6f6f6", "#555555"),
    "pooling": Paint("#e2e2e2", "#555555"),
    "resample": Paint("#e2e2e2", "#555555"),
}

THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
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
        families=_LIGHT,
    ),
    "dark": Theme(
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
        families=_DARK,
    ),
    "print": Theme(
        paper="#ffffff",
        ink="#000000",
        muted="#333333",
        line="#222222",
        faint="#777777",
        badge="#000000",
        fault="#000000",
        tie="#222222",
        levels=(Paint("#ffffff", "#555555"), Paint("#f4f4f4", "#555555")),
        block=Paint("#ffffff", "#000000"),
        join=Paint("#ffffff", "#000000"),
        plain=Paint("#ffffff", "#777777"),
        families=_PRINT,
    ),
}
