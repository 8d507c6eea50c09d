"""Settings that all tests share; `--hypothesis-profile=deep` draws far more.

`--update` writes the expected code in tests/golden anew; `--deep` runs what is marked so;
`--budget` is for `make quick`.
"""

import gc
import os
import time

import pytest
from hypothesis import settings

_BEGUN = time.perf_counter()
gc.disable()  # until everything is imported
collect_ignore = ["golden"]  # expected code, without the library that it carries

settings.register_profile("default", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("deep", max_examples=1000, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of this project's tests."""
    parser.addoption("--update", action="store_true", help="rewrite tests/golden")
    parser.addoption("--deep", action="store_true", help="what takes a night, too")
    parser.addoption(
        "--budget",
        type=float,
        metavar="SECONDS",
        help="skip the tests that have not begun by then, and those last that take long",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what does not begin in time."""
    budget = item.config.getoption("budget")
    if budget is not None and time.perf_counter() - _BEGUN > budget:
        pytest.skip(f"{budget:g} seconds are over")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported, which stays: to look at it took a tenth of the tests' time."""
    gc.freeze()
    gc.set_threshold(50_000)
    gc.enable()


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Begin with what takes long; without `--deep`, leave out what is marked so."""
    wanted = config.getoption("budget") is None
    items.sort(key=lambda item: (item.get_closest_marker("first") is None) is wanted)
    if config.getoption("deep"):
        return
    deep = [item for item in items if item.get_closest_marker("deep")]
    config.hook.pytest_deselected(items=deep)
    items[:] = [item for item in items if not item.get_closest_marker("deep")]
