"""What a document shows of a spec, read from the options of a directive or a fence."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, cast

from compiler.dataclass import dataclass
from compiler.diagnostics.diagnostic import RequestError, suggest
from compiler.diagnostics.text import either
from compiler.diagram.drawing import Direction, ThemeName
from compiler.op.find_modules import module_names

Align = Literal["left", "center", "right"]
VIEWS = "layergraph.documents.views"
"""The package of the views: the name of a module is that of its view.

Each has a function `show`, and says whether it shows a spec that has errors, too (`SHOWS_FAULTS`).
"""

_LENGTH = re.compile(r"\d+(\.\d+)?(%|px|em|rem|ch|mm|cm|in|pt)")
_LARGEST_DEPTH = 1_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A view of a spec, and how it stands in a document. The fields are the options, by their names."""

    spec: str
    """A file, or the name of a shipped spec."""
    view: str = "diagram"
    variant: str = ""
    set: tuple[str, ...] = ()
    """Values of params: `depth=2`."""
    network: str = ""
    block: str = ""
    depth: int | None = None
    expand: tuple[str, ...] = ()
    fold: tuple[str, ...] = ()
    direction: Direction = "TB"
    style: ThemeName = "auto"
    """The theme of the diagram."""
    at: str = ""
    """Sizes of symbols, for numbers in tables: `B=8, T=1024`."""
    width: str = ""
    """A length; in a unit of print it is that of a figure whose text can be read."""
    caption: str = ""
    alt: str = ""
    align: Align = "center"
    name: str = ""
    """By which the document refers to it."""


def read_figure(spec: str, options: Mapping[str, str]) -> Figure:
    """A figure from the texts of its options.

    Raises:
        RequestError: for an unknown option, or a value that it does not take.

    >>> read_figure("gpt2", {"view": "code", "set": "depth=2"}).set
    ('depth=2',)
    """
    values: dict[str, Any] = {}
    for name, text in options.items():
        reader = OPTIONS.get(name)
        if reader is None:
            hint = suggest(name, OPTIONS) or f"the options are {', '.join(OPTIONS)}"
            raise RequestError(f"there is no option {name}; {hint}")
        try:
            values[name] = reader(text.strip())
        except ValueError as error:
            raise RequestError(f"{name} must be {error}, and is {text}") from None
    return Figure(spec.strip(), **values)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _depth(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= _LARGEST_DEPTH):
        raise ValueError("a number of levels")
    return int(text)


def _length(text: str) -> str:
    if not _LENGTH.fullmatch(text):
        raise ValueError("a length such as 60% or 85mm")
    return text


def _choice(names: tuple[str, ...]) -> Callable[[str], str]:
    def chosen(text: str) -> str:
        if text not in names:
            raise ValueError(either(names))
        return text

    return chosen


def _one_line(text: str) -> str:
    return " ".join(text.split())


OPTIONS: Mapping[str, Callable[[str], object]] = {
    "view": _choice(tuple(module_names(VIEWS))),
    "variant": str,
    "set": _lines,
    "network": str,
    "block": str,
    "depth": _depth,
    "expand": _names,
    "fold": _names,
    "direction": _choice(typing.get_args(Direction)),
    "style": _choice(typing.get_args(ThemeName)),
    "at": _one_line,
    "width": _length,
    "caption": _one_line,
    "alt": _one_line,
    "align": _choice(cast("tuple[str, ...]", typing.get_args(Align))),
    "name": _one_line,
}
"""What each option takes."""
