"""Settings that all tests share; `--hypothesis-profile=deep` draws far more.

`--update` writes the expected code in tests/golden anew; `--deep` runs what is marked so.
"""

import os

import pytest
from hypothesis import settings

settings.register_profile("default", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("deep", max_examples=1000, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of this project's tests."""
    parser.addoption("--update", action="store_true", help="rewrite tests/golden")
    parser.addoption("--deep", action="store_true", help="what takes a night, too")


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Begin with what takes long; without `--deep`, leave out what is marked so."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)
    if config.getoption("deep"):
        return
    deep = [item for item in items if item.get_closest_marker("deep")]
    config.hook.pytest_deselected(items=deep)
    items[:] = [item for item in items if not item.get_closest_marker("deep")]
