"""Settings that all tests share; `--hypothesis-profile=deep` draws far more.

`--update` writes the expected code in tests/golden anew.
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
