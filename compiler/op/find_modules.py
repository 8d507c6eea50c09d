"""The modules of a package, imported, so that what they declare is known: things are found, and not listed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import TypeVar

from compiler.diagnostics.diagnostic import RequestError

T = TypeVar("T")


def find_modules(package: str) -> Iterator[ModuleType]:
    """The modules that lie in a package, by name.

    >>> [module.__name__ for module in find_modules("compiler.fmt")][:2]
    ['compiler.fmt.comments', 'compiler.fmt.expand']
    """
    for name in module_names(package):
        yield import_module(f"{package}.{name}")


def module_names(package: str) -> list[str]:
    """The names of the modules that lie in a package, none of which is imported.

    >>> module_names("compiler.fmt")[:2]
    ['comments', 'expand']
    """
    return [found.name for found in iter_modules(import_module(package).__path__)]


def named_by_suffix(package: str, file: Path) -> str:
    """The module of a package that a file's suffix names.

    Raises:
        RequestError: if no module has this name.

    >>> named_by_suffix("compiler.diagram.formats", Path("net.SVG"))
    'svg'
    """
    names = module_names(package)
    name = file.suffix.lower().removeprefix(".")
    if name not in names:
        suffixes = ", ".join(f".{name}" for name in names)
        raise RequestError(f"{file} must end in one of {suffixes}")
    return name


def only_class(module: str, base: type[T]) -> type[T]:
    """The only class that a module defines from a base.

    Raises:
        ValueError: if there is none, or several.
    """
    (found,) = (
        member
        for member in vars(import_module(module)).values()
        if isinstance(member, type)
        and issubclass(member, base)
        and member.__module__ == module
    )
    return found
