"""The walls between packages hold: no circle between files, and no package outside the layers.

import-linter checks the layers themselves; `pyproject.toml` lists them.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

ROOT = Path(__file__).parent.parent
UNLAYERED = {"bench", "tests"}
"""Packages that nothing imports from, and that import what they measure or test."""


def module_files(root: Path, *packages: str) -> dict[str, Path]:
    """The files of packages by the names of their modules."""
    files = (file for package in packages for file in (root / package).rglob("*.py"))
    return {module_name(file.relative_to(root)): file for file in files}


def module_name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def import_graph(files: dict[str, Path]) -> nx.DiGraph[str]:
    """Which file imports which, counting imports for type checking and inside functions."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(files)
    known = set(files)
    for module, file in files.items():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = imported(node, known)
            graph.add_edges_from((module, name) for name in names if name in known)
    return graph


def imported(node: ast.AST, known: set[str]) -> Iterator[str]:
    """The modules that a statement imports; of `from package import module` the module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            below = f"{node.module}.{alias.name}"
            yield below if below in known else node.module


def circles(graph: nx.DiGraph[str]) -> list[list[str]]:
    """The groups of files that import one another in a circle."""
    groups = nx.strongly_connected_components(graph)
    return sorted(sorted(group) for group in groups if len(group) > 1)


def test_no_circle_between_files() -> None:
    graph = import_graph(module_files(ROOT, *layered()))
    assert graph.number_of_edges() > 1_000
    assert circles(graph) == []


@pytest.mark.parametrize(
    "back",
    [
        "from package.below import first",
        "import package.below.first",
        "def later():\n    from package.below.first import thing",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from package.below import first",
    ],
)
def test_planted_circle_is_found(tmp_path: Path, back: str) -> None:
    below = tmp_path / "package" / "below"
    below.mkdir(parents=True)
    (tmp_path / "package" / "__init__.py").touch()
    (below / "__init__.py").touch()
    (below / "first.py").write_text("from package.below.second import other\n")
    (below / "second.py").write_text("from package.below.third import third\n")
    (below / "third.py").touch()
    files = module_files(tmp_path, "package")
    assert circles(import_graph(files)) == []
    (below / "third.py").write_text(back)
    names = ["first", "second", "third"]
    assert circles(import_graph(files)) == [[f"package.below.{n}" for n in names]]


def test_package_is_no_circle_with_its_modules(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("from package.first import first\n")
    (package / "first.py").write_text("from package import second\n")
    (package / "second.py").touch()
    assert circles(import_graph(module_files(tmp_path, "package"))) == []


def settings() -> dict[str, Any]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found: dict[str, Any] = tomllib.loads(text)["tool"]["importlinter"]
    return found


def layered() -> list[str]:
    """The packages at the top, as one contract layers them."""
    (top,) = [one for one in layers() if "containers" not in one]
    return [str(name) for name in top["layers"]]


def layers() -> list[dict[str, Any]]:
    return [one for one in settings()["contracts"] if one["type"] == "layers"]


def test_every_package_is_layered() -> None:
    packages = {init.parent.name for init in ROOT.glob("*/__init__.py")}
    assert set(layered()) == set(settings()["root_packages"]) == packages - UNLAYERED


def test_layers_are_exhaustive() -> None:
    inside = {name: one for one in layers() for name in one.get("containers", ())}
    assert {"compiler", "runtime"} <= set(inside)
    assert all(one.get("exhaustive") for one in inside.values())
