"""The code of every spec, as a person last read it; what is carried from compiler/library is read there.

`pytest tests/generated/test_golden.py --update` writes the files in tests/golden anew;
whoever changes them reads the difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import compiler.library
from compiler.lower.library_code import library_code
from tests.programs import SPECS, compiled

LIBRARY = Path(compiler.library.__file__).parent
GOLDEN = Path(__file__).parents[1] / "golden"


def without_library(code: str) -> str:
    """Generated code with a line in place of each definition that is carried from compiler/library as it is there."""
    for file in sorted(LIBRARY.glob("*.py")):
        for part in library_code([file.stem]).code:
            lines = part.text.splitlines()
            first = next(x for x in lines if not x.startswith("@")).rstrip("(:")
            code = code.replace(part.text, f"# compiler/library: {first}")
    return code


@pytest.mark.parametrize("spec", SPECS)
def test_code_is_the_one_that_was_read(spec: str, pytestconfig: pytest.Config) -> None:
    file = GOLDEN / f"{spec}.py"
    code = without_library(compiled(spec).python)
    if pytestconfig.getoption("update"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(code, encoding="utf-8")
    assert file.exists(), f"{file} is missing: run pytest with --update"
    assert code == file.read_text(encoding="utf-8")


def test_no_file_is_left_of_a_spec_that_went(pytestconfig: pytest.Config) -> None:
    for file in sorted(GOLDEN.glob("*.py")):
        if file.stem not in SPECS and pytestconfig.getoption("update"):
            file.unlink()
    assert {file.stem for file in GOLDEN.glob("*.py")} <= set(SPECS)
