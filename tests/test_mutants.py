"""Whatever happens to a spec's text, compiling it gives a program or says what is wrong."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from compiler import SpecError, compile_spec
from compiler.diagnostics.diagnostic import Diagnostic
from compiler.diagnostics.read_source import read_source
from compiler.diagnostics.render import as_json, render
from compiler.diagnostics.source import Source
from compiler.parse.document import to_data
from compiler.parse.parse import parse
from tests.mutants import mutant, tree_mutant

SPECS = sorted(Path(__file__).parent.parent.joinpath("specs").glob("*.yaml"))
TEXTS = [path.read_text(encoding="utf-8") for path in SPECS]
TREES: list[dict[str, Any]] = [
    to_data(parse(Source("spec", text)).root) for text in TEXTS
]


@pytest.mark.parametrize("seed", range(30))
def test_damaged_text(seed: int, tmp_path: Path) -> None:
    other = TEXTS[(seed * 7 + 3) % len(TEXTS)]
    check(mutant(TEXTS[seed % len(TEXTS)], other, seed), tmp_path)


@pytest.mark.parametrize("seed", range(50))
def test_damaged_tree(seed: int, tmp_path: Path) -> None:
    other = TREES[(seed * 7 + 3) % len(TREES)]
    check(tree_mutant(TREES[seed % len(TREES)], other, seed), tmp_path)


def check(text: str, folder: Path) -> None:
    file = folder / "spec.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        program = compile_spec(file)
    except SpecError as error:
        check_diagnostics(error.diagnostics, read_source(file, 2**20))
    else:
        ast.parse(program.python)


def check_diagnostics(found: tuple[Diagnostic, ...], source: Source) -> None:
    assert any(one.severity == "error" for one in found)
    assert render(found, {source.file: source})
    assert all(one["line"] >= 1 and one["column"] >= 1 for one in as_json(found))
