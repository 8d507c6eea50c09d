"""`serve` as its users see it: the command, a browser, and an editor that saves."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import Opener
from tests.browser.test_page import serious

NET = """name: Net
inputs: {x: "float[B, 8]"}
layers:
  first: {op: linear, out_features: 4}
  inner: Inner
blocks:
  Inner:
    inputs: {x: "float[B, D]"}
    layers: {second: relu, third: tanh}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    file = tmp_path / "net.yaml"
    file.write_text(NET)
    return file


@pytest.fixture
def serving(spec: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command and the address that it prints."""
    process = subprocess.Popen(
        [sys.executable, "cli.py", "serve", str(spec), "--no-open"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    (address,) = re.findall(r"http://127\.0\.0\.1:\d+/[\w-]{43}/", said)
    yield process, address
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_the_picture_follows_the_file(
    serving: tuple[subprocess.Popen[str], str], spec: Path, opened: Opener
) -> None:
    process, address = serving
    one = opened(address)
    page = one.page
    page.click("#fold")
    page.click(f"{one.key('0/inner')} .fold")
    page.click(f"{one.key('0/inner/third')} > .shape")
    page.evaluate("zoom(1.5)")
    before = page.evaluate(
        "[view.scale, drawn.get('0/inner/third').element.getBoundingClientRect().y]"
    )
    spec.write_text(
        NET.replace("second: relu, third", "second: relu, new: gelu, third")
    )
    expect(page.locator(one.key("0/inner/new"))).to_have_count(1)
    after = page.evaluate(
        "[view.scale, drawn.get('0/inner/third').element.getBoundingClientRect().y]"
    )
    assert after == pytest.approx(before, abs=1)  # folds, zoom and place are kept
    assert page.evaluate("view.selected") == "0/inner/third"

    spec.write_text(NET.replace("tanh", "tahn"))
    expect(page.locator("#notice")).to_contain_text("net.yaml:9: there is no op tahn")
    expect(page.locator("#problems")).to_contain_text("did you mean `tan`?")
    expect(page.locator("body.old")).to_have_count(1)
    expect(page.locator(one.key("0/inner/new"))).to_have_count(1)  # the last good one
    assert (
        page.evaluate("parseFloat(document.querySelector('.wrong').style.top)")
        == 8 + 8 * 19
    )

    assert serious(page) == []

    spec.write_text(NET)
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("body.old")).to_have_count(0)
    expect(page.locator(one.key("0/inner/new"))).to_have_count(0)
    assert all(url.startswith(address) for url in one.requests)

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    expect(page.locator("#notice")).to_contain_text("no longer follows")


def test_no_other_site_gets_anything(
    serving: tuple[subprocess.Popen[str], str], context: BrowserContext, tmp_path: Path
) -> None:
    _, address = serving
    page = context.new_page()
    page.goto("about:blank")
    read = f"""fetch('{address}data').then(answer => answer.text()).catch(() => 'refused')"""
    assert page.evaluate(read) == "refused"
    other = address.replace("127.0.0.1", "localhost")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(other)
    framed = tmp_path / "framed.html"
    framed.write_text(f'<iframe src="{address}"></iframe>')
    page.goto(framed.as_uri())
    page.wait_for_timeout(200)
    assert all(frame.locator("#canvas").count() == 0 for frame in page.frames[1:])


def test_a_browser_is_led_to_the_page(spec: Path, tmp_path: Path) -> None:
    note = tmp_path / "note"
    browser = tmp_path / "browser"
    part = f"{note}.part"
    browser.write_text(
        f"#!/bin/sh\nfile=${{1#file://}}\ncat $file > {part}\n"
        f"stat -c %a $file >> {part}\nmv {part} {note}\n"
    )
    browser.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "cli.py", "serve", str(spec)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1", "BROWSER": f"{browser} %s"},
    )
    assert process.stdout is not None
    address = process.stdout.readline().split()[2]
    try:
        for _ in range(100):
            if note.exists():
                break
            subprocess.run(["sleep", "0.05"], check=True)
        assert address in note.read_text()
        assert note.read_text().endswith("600\n")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0
