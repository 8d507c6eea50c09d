"""The file of a spec or a recipe that is named by a path, or by the name of a shipped one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from compiler.diagnostics.diagnostic import suggest
from compiler.elaborate.shipped_specs import shipped_recipes, shipped_specs

_SHIPPED: Final = {"specs": shipped_specs, "recipes": shipped_recipes}
"""The folders of what comes with LayerGraph, as the documentation names them."""


def spec_file(spec: str | Path) -> Path:
    """The file of a spec or a recipe.

    Args:
        spec: a path, or the name of one that comes with LayerGraph, such as `gpt2`, `cnn_digits` or
            `recipes/cnn_digits.yaml`. A file goes before a name.

    Raises:
        OSError: if there is no such file and no such name, or the file cannot be read.

    >>> spec_file("gpt2").name
    'gpt2.yaml'
    """
    path = Path(spec)
    if path.is_file():
        if not os.access(path, os.R_OK):
            raise PermissionError(f"{spec} cannot be read")
        return path
    if len(path.parts) == 1 and not path.suffix:
        return _shipped(str(spec))
    if path.exists():
        raise IsADirectoryError(f"{spec} is no file")
    folder = _SHIPPED.get(str(path.parent))
    if folder and (shipped := folder() / path.name).is_file():
        return shipped
    raise FileNotFoundError(f"there is no file {spec}")


def _shipped(name: str) -> Path:
    folders = shipped_recipes(), shipped_specs()
    files = {file.stem: file for folder in folders for file in folder.glob("*.yaml")}
    if name in files:
        return files[name]
    help = suggest(name, sorted(files)) or f"the shipped specs are in {shipped_specs()}"
    raise FileNotFoundError(
        f"there is no file {name}, and no shipped spec or recipe; {help}"
    )
