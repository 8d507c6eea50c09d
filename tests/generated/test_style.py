"""Generated files pass the checks that a person's file would, and import torch alone."""

from __future__ import annotations

import ast
import io
import re
import shutil
import subprocess
import sys
import tokenize
from functools import cache
from pathlib import Path

import pytest

from tests.generated.golden import GOLDEN, with_library
from tests.programs import FOLDER, SPECS, compiled

ROOT = FOLDER.parent
FEATURES = ROOT / "tests" / "features"
WIDTH = 88


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All generated files, alone in a folder: of the architectures, and of the features of the language.

    From the expected code of both, which other tests compare: to compile all architectures in one process takes long.
    """
    path = tmp_path_factory.mktemp("generated")
    for spec in SPECS:
        code = with_library((GOLDEN / f"{spec}.py").read_text(encoding="utf-8"))
        (path / f"{spec}.py").write_text(code, encoding="utf-8")
    for file in FEATURES.glob("*.py"):  # which tests/test_features.py compares
        shutil.copy(file, path / f"feature_{file.name}")
    return path


@pytest.mark.parametrize(
    "arguments", [["check"], ["format", "--check", "--diff"]], ids=["lint", "format"]
)
def test_ruff_has_nothing_to_say(folder: Path, arguments: list[str]) -> None:
    _run(folder, "ruff", *arguments, "--isolated", "--no-cache", ".")


@pytest.mark.first
def test_types_are_strict(folder: Path) -> None:
    """By the project's own settings, so that what `make check` found of torch is known."""
    settings = ["--config-file", str(ROOT / "pyproject.toml")]
    cache = ["--cache-dir", str(ROOT / ".mypy_cache")]
    files = sorted(file.name for file in folder.glob("*.py"))
    _run(folder, "mypy", "--strict", *settings, *cache, *files)


def _run(folder: Path, tool: str, *arguments: str) -> None:
    command = [sys.executable, "-m", tool, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("spec", SPECS)
def test_imports_torch_and_the_standard_library_alone(spec: str) -> None:
    allowed = {"torch", *sys.stdlib_module_names}
    for node in ast.walk(ast.parse(compiled(spec).python)):
        if isinstance(node, ast.Import):
            assert {alias.name.partition(".")[0] for alias in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert (node.module or "").partition(".")[0] in allowed


@pytest.mark.parametrize("spec", SPECS)
def test_lines_are_short(spec: str) -> None:
    """All but a type, which has no place to break at."""
    text = compiled(spec).python
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip(' #"').split(", ")
        assert len(line) <= WIDTH or (number in _prose(text) and len(words) == 1), line


def _prose(text: str) -> set[int]:
    """The lines that hold comments or docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or token.string.startswith('"""'):
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines


@pytest.mark.parametrize("spec", SPECS)
def test_lines_of_forward_end_in_their_shape(spec: str) -> None:
    """Each statement that makes a tensor has its type beside or above it."""
    text = compiled(spec).python
    lines = text.splitlines()
    networks = {plan for plan in ast.parse(text).body if isinstance(plan, ast.ClassDef)}
    for network in networks:
        if network.name in _library_classes():
            continue
        for statement in _forward(network):
            if not isinstance(statement, ast.Assign | ast.AnnAssign):
                continue
            if isinstance(statement.value, ast.Name):
                continue  # another name for what there is
            size = r"\w+\.shape\[-?\d+\]"
            if re.fullmatch(f"{size}( - {size})?", ast.unparse(statement.value)):
                continue  # a size
            if ast.unparse(statement.value).endswith("state.position"):
                continue  # a position
            assert statement.end_lineno is not None
            beside = lines[statement.end_lineno - 1]
            above = lines[statement.lineno - 2]
            assert "# " in beside or above.strip().startswith("# "), beside


def _forward(network: ast.ClassDef) -> list[ast.stmt]:
    return [
        statement
        for method in network.body
        if isinstance(method, ast.FunctionDef) and method.name == "forward"
        for statement in method.body
    ]


@cache
def _library_classes() -> set[str]:
    """The classes of compiler/library, which have comments of their own."""
    library = Path(__file__).parents[2] / "compiler" / "library"
    return {
        node.name
        for file in library.glob("*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    }
