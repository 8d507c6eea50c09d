"""The format that a picture's suffix names: a module of `compiler.diagram.formats`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from compiler.op.find_modules import named_by_suffix

if TYPE_CHECKING:  # imports Graphviz
    from compiler.diagram.picture import Picture

_PACKAGE: Final = "compiler.diagram.formats"
Format: TypeAlias = "Callable[[Picture], bytes | str]"
"""Makes the content of a file. Raises DiagramError if the layout fails or takes too long."""


def format_name(file: Path) -> str:
    """The name of the format of a file: its suffix without the dot.

    Raises:
        RequestError: if no format has this suffix.

    >>> format_name(Path("net.SVG"))
    'svg'
    """
    return named_by_suffix(_PACKAGE, file)


def find_format(name: str) -> Format:
    """The function `render` of a format's module."""
    found: Format = import_module(f"{_PACKAGE}.{name}").render
    return found
