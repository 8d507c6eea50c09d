"""Find the files that a task names: beside its spec, or in installed packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from compiler.tasks.data_set import PACKAGE


def find_file(folder: Path, written: str) -> Path:
    """The path that an option names; that of a package that is not installed does not exist.

    Args:
        folder: base of relative paths.
        written: the path, or `package:NAME/PATH` for a file of a package, of which nothing is run.
    """
    if not written.startswith(PACKAGE):
        return folder / Path(written).expanduser()
    name, _, inside = written.removeprefix(PACKAGE).partition("/")
    installed = _package_folder(name)
    return folder / written if installed is None else installed / inside


def missing_help(folder: Path, written: str) -> str:
    """How a path that does not exist was looked for."""
    if written.startswith(PACKAGE):
        name, _, _ = written.removeprefix(PACKAGE).partition("/")
        installed = _package_folder(name)
        if installed is None:
            return f"the package {name} is not installed"
        return f"the package is in {installed}"
    if Path(written).is_absolute():
        return ""
    return f"paths are relative to the spec's folder, {folder.resolve()}"


def _package_folder(name: str) -> Path | None:
    """The folder of an installed package; None if it is not installed."""
    found = find_spec(name) if name.isidentifier() else None
    places = found.submodule_search_locations if found else None
    return Path(next(iter(places))) if places else None
