"""The code of every spec, as a person last read it; what is carried from compiler/library is read there.

`pytest tests/generated/test_golden.py --update` writes the files in tests/golden anew;
whoever changes them reads the difference.
"""

from __future__ import annotations

import pytest

from tests.generated.golden import GOLDEN, with_library, without_library
from tests.programs import SPECS, compiled


@pytest.mark.parametrize("spec", SPECS)
def test_code_is_the_one_that_was_read(spec: str, pytestconfig: pytest.Config) -> None:
    file = GOLDEN / f"{spec}.py"
    code = without_library(compiled(spec).python)
    if pytestconfig.getoption("update"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(code, encoding="utf-8")
    assert file.exists(), f"{file} is missing: run pytest with --update"
    assert code == file.read_text(encoding="utf-8")
    assert with_library(code) == compiled(spec).python


def test_no_file_is_left_of_a_spec_that_went(pytestconfig: pytest.Config) -> None:
    for file in sorted(GOLDEN.glob("*.py")):
        if file.stem not in SPECS and pytestconfig.getoption("update"):
            file.unlink()
    assert {file.stem for file in GOLDEN.glob("*.py")} <= set(SPECS)
