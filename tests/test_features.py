"""Small specs for what the language can say, each with its Python beside it.

`pytest tests/test_features.py --update` writes the Python anew; a reader reads the
difference.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler.pipeline import compile_spec
from runtime.verify import verify
from tests.programs import compiled

FOLDER = Path(__file__).parent / "features"
SPECS = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_code_is_the_one_that_was_read(spec: Path, pytestconfig: pytest.Config) -> None:
    code = compiled(spec).python
    expected = spec.with_suffix(".py")
    if pytestconfig.getoption("update"):
        expected.write_text(code, encoding="utf-8")
    assert code == expected.read_text(encoding="utf-8")


def test_a_drawing_changes_no_code() -> None:
    """What labels ask of sizes is no demand of the network."""
    spec = FOLDER / "stages.yaml"
    program = compile_spec(spec)
    program.diagram()
    assert program.python == spec.with_suffix(".py").read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_module_is_what_inference_says(spec: Path, pytestconfig: pytest.Config) -> None:
    """All values of the params by the constructor and the interpreter, one in six or all by the compiler."""
    every = 1 if pytestconfig.getoption("deep") else 6
    offset = SPECS.index(spec) % every
    verified = verify(compiled(spec), compile_every=every, offset=offset)
    assert verified.problems == ()
