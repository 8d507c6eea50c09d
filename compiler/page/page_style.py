"""The style sheet of a page: its layout, and the colours of the other pictures in light and in dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

from compiler.diagram.themes import THEMES, Theme, family_paint

_CHROME = {
    "light": {
        "rule": "#d9dee5",
        "raised": "#fbfcfd",
        "chosen": "#dfeaf8",
        "accent": "#1f6fd1",
        "warn": "#fdecec",
        "shade": "rgb(20 24 31 / 14%)",
        "hover": "0.97",
        "code-key": "#1f5f99",
        "code-comment": "#5e6a78",
        "code-word": "#8a3d0c",
    },
    "dark": {
        "rule": "#333b46",
        "raised": "#1a1e25",
        "chosen": "#28384d",
        "accent": "#6fb1ff",
        "warn": "#3d2226",
        "shade": "rgb(0 0 0 / 50%)",
        "hover": "1.12",
        "code-key": "#8fc1f2",
        "code-comment": "#94a0ae",
        "code-word": "#f0b088",
    },
}


def page_style(families: Iterable[str]) -> str:
    """The text of the style sheet, with the colours of these families of ops."""
    coloured = [one for one in families if family_paint(one, THEMES["light"])]
    light, dark = (
        "".join(_variables(THEMES[name], coloured)) for name in ("light", "dark")
    )
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{dark}}}\n"
        "@media (prefers-color-scheme:dark){"
        f":root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n"
        f"{_layout()}{''.join(map(_family, coloured))}"
    )


@cache
def _layout() -> str:
    return files("compiler.page").joinpath("assets", "page.css").read_text("utf-8")


def _family(name: str) -> str:
    colours = f"fill:var(--family-{name});stroke:var(--family-{name}-line)"
    text = f".box.family-{name}>text tspan{{fill:var(--family-{name}-ink)}}"
    return f".box.family-{name}>.shape{{{colours}}}\n{text}\n"


def _variables(theme: Theme, families: Iterable[str]) -> Iterator[str]:
    even, odd = theme.levels[0], theme.levels[1]
    colours = {
        "paper": theme.paper,
        "ink": theme.ink,
        "muted": theme.muted,
        "line": theme.line,
        "faint": theme.faint,
        "badge": theme.badge,
        "fault": theme.fault,
        "plain": theme.plain.fill,
        "plain-line": theme.plain.border,
        "block": theme.block.fill,
        "block-line": theme.block.border,
        "join": theme.join.fill,
        "join-line": theme.join.border,
        "level": even.fill,
        "level-line": even.border,
        "level-odd": odd.fill,
        "level-odd-line": odd.border,
        **_CHROME[theme.name],
    }
    for family in families:
        paint = family_paint(family, theme)
        assert paint is not None
        colours |= {
            f"family-{family}": paint.fill,
            f"family-{family}-line": paint.border,
            f"family-{family}-ink": paint.ink or theme.ink,
        }
    yield from (f"--{name}:{colour};" for name, colour in colours.items())
