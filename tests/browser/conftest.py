"""One Chromium for all tests of pages; without one, a single test fails and says so, and the others are left out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    expect,
    sync_playwright,
)

import layergraph as lg

NAMES = ("chromium", "chromium-browser", "google-chrome")
_NEEDS_NONE = "test_there_is_a_chromium"


def chromium() -> str | None:
    """The program, by the environment or on the path."""
    return os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), None
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if chromium() is not None:
        return
    here = Path(__file__).parent
    left_out = [
        item for item in items if here in item.path.parents and item.name != _NEEDS_NONE
    ]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox"]
        )
        yield started
        started.close()


class Opened:
    """A page, what it asked of the network, and what went wrong in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", self._asked)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text))

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    def key(self, path: str) -> str:
        """The selector of a box by its key: `0/h/attn`."""
        return f'[data-key="{path}"]'


Opener = Callable[..., Opened]


# Two browsers beside two tests that compute: what takes a moment alone may take seconds.
expect.set_options(timeout=30_000)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(
        viewport={"width": 1280, "height": 800}, reduced_motion="reduce"
    )
    made.set_default_timeout(30_000)
    yield made
    made.close()


@pytest.fixture
def opened(context: BrowserContext) -> Iterator[Opener]:
    """Opens an address; at the end, nothing may have gone wrong in it."""
    found: list[Opened] = []

    def at(address: str) -> Opened:
        one = Opened(context.new_page())
        found.append(one)
        one.page.goto(address)
        return one

    yield at
    assert [one.errors for one in found] == [[] for _ in found]


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> str:
    return saved(tmp_path_factory.mktemp("pages") / "gpt2.html", "gpt2")


def saved(file: Path, spec: str | Path, **options: object) -> str:
    """The address of a spec's page."""
    lg.compile(spec, strict=False).diagram(**options).save(file)  # type: ignore[arg-type]
    return file.as_uri()
