"""Whatever happens to a task's text, compiling it gives a program or says what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from compiler.diagnostics.source import Source
from compiler.parse.document import to_data
from compiler.parse.parse import parse
from tests.mutants import mutant, tree_mutant
from tests.test_mutants import check

SPECS = sorted(Path("tests/mistakes/task").glob("*.yaml"))
TEXTS = [path.read_text(encoding="utf-8") for path in SPECS]
TREES: list[dict[str, Any]] = [
    to_data(parse(Source("spec", text)).root)
    for text in TEXTS
    if not text.endswith("task:\n")
]


@pytest.mark.parametrize("seed", range(100))
def test_damaged_text(seed: int, tmp_path: Path) -> None:
    other = TEXTS[(seed * 7 + 3) % len(TEXTS)]
    check(mutant(TEXTS[seed % len(TEXTS)], other, seed), tmp_path)


@pytest.mark.parametrize("seed", range(150))
def test_damaged_tree(seed: int, tmp_path: Path) -> None:
    tree, other = TREES[seed % len(TREES)], TREES[(seed * 7 + 3) % len(TREES)]
    check(tree_mutant(tree, other, seed), tmp_path)
