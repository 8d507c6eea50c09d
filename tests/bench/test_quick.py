"""Which tests are near a change."""

import pytest

from bench.quick import select


@pytest.mark.parametrize(
    ("changed", "nearest"),
    [
        ("tests/ops/test_conv.py", "tests/ops/test_conv.py"),
        ("compiler/ops/conv.py", "tests/ops/test_conv.py"),
        ("runtime/load.py", "tests/runtime/test_load.py"),
        ("layergraph/commands/build.py", "tests/layergraph/commands/test_build.py"),
        ("tests/mistakes/import/outside.yaml", "tests/test_mistakes.py"),
        ("tests/features/misc.yaml", "tests/test_features.py"),
        ("README.md", "tests/docs/test_docs.py"),
        ("docs/language.md", "tests/docs/test_docs.py"),
        ("compiler/elaborate/link.py", "tests/compiler/elaborate/test_apply_recipe.py"),
    ],
)  # fmt: skip
def test_the_nearest(changed: str, nearest: str) -> None:
    assert next(select([changed])) == nearest


def test_helpers_and_importers() -> None:
    helped = set(select(["tests/layergraph/commands/command.py"]))
    assert "tests/layergraph/commands/test_runs.py" in helped
    assert "tests/layergraph/test_face.py" in set(select(["runtime/weights.py"]))
