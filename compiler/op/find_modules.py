"""The modules of a package, imported, so that what they declare is known: things are found, and not listed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType


def find_modules(package: str) -> Iterator[ModuleType]:
    """The modules that lie in a package, by name.

    >>> [module.__name__ for module in find_modules("compiler.fmt")][:2]
    ['compiler.fmt.comments', 'compiler.fmt.expand']
    """
    for found in pkgutil.iter_modules(importlib.import_module(package).__path__):
        yield importlib.import_module(f"{package}.{found.name}")
