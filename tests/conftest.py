"""Settings that all tests share; `--hypothesis-profile=deep` draws far more.

`--update` writes the expected code in tests/golden anew; `--deep` runs what is marked so;
`--budget` is for `make quick`.
"""

import gc
import os
import resource
import sys
import time
from pathlib import Path

import pytest
from hypothesis import settings

_BEGUN = time.perf_counter()
gc.disable()  # it runs between tests
_MOST_OBJECTS = 500_000
_ARCHITECTURES = {
    file.stem
    for folder in ("specs", "tests/features")
    for file in Path(folder).glob("*.yaml")
}
collect_ignore = ["golden"]  # expected code, without the library that it carries

settings.register_profile("default", max_examples=25, deadline=None)
settings.register_profile("ci", max_examples=25, deadline=None, derandomize=True)
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
    parser.addoption(
        "--most-seconds",
        type=float,
        metavar="SECONDS",
        help="fail if the tests take more processor time, workers and their processes included",
    )


def _architecture(item: pytest.Item) -> str:
    """The name of the file in specs/ or tests/features/ that is the only one that a test is about; "" for others."""
    params = getattr(item, "callspec", None)
    texts = (
        (one for one in params.params.values() if isinstance(one, str | Path))
        if params
        else ()
    )
    named = _ARCHITECTURES & {Path(text).stem for text in texts}
    return named.pop() if len(named) == 1 else ""


def _processor_seconds() -> float:
    """Of this process and those that it has waited for, as it does for the workers before it reports."""
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(one) for one in who]
    return sum(one.ru_utime + one.ru_stime for one in used)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what the tests took."""
    most = config.getoption("most_seconds")
    if most is not None:
        told = f"processor time: {_processor_seconds():.0f} s, at most {most:.0f}"
        terminalreporter.write_line(told)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where they took more than they may; a worker knows its own time alone."""
    most = session.config.getoption("most_seconds")
    is_worker = hasattr(session.config, "workerinput")
    if most is not None and not is_worker and _processor_seconds() > most:
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what does not begin in time."""
    budget = item.config.getoption("budget")
    if budget is not None and time.perf_counter() - _BEGUN > budget:
        pytest.skip(f"{budget:g} seconds are over")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported, which stays: to look at it took a tenth of the tests' time."""
    gc.freeze()
    if (torch := sys.modules.get("torch")) and not torch.cuda.is_available():
        # For each seed torch keeps the whole stack, until there is such a device: 1 ms and 10 kB.
        for device in (torch.cuda, torch.xpu, torch.mtia):
            device.manual_seed_all = lambda seed: None


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Collect garbage now and then: what the tests create is traced once, what they share no more than that."""
    if gc.get_count()[0] > _MOST_OBJECTS:
        gc.collect(0)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Begin with what takes long; without `--deep`, leave out what is marked so.

    Tests of one architecture come one after the other, in whatever file they are: they share what is compiled of it,
    which so happens in one worker only.
    """
    items.sort(key=_architecture)
    wanted = config.getoption("budget") is None
    items.sort(key=lambda item: (item.get_closest_marker("first") is None) is wanted)
    if config.getoption("deep"):
        return
    deep = [item for item in items if item.get_closest_marker("deep")]
    config.hook.pytest_deselected(items=deep)
    items[:] = [item for item in items if not item.get_closest_marker("deep")]
