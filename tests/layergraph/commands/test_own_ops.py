"""Ops of a plug-in: the example of docs/ops.md by every command that takes it, and what is wrong in one."""

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

import layergraph as lg
from compiler.diagnostics.diagnostic import RequestError
from compiler.op import registry
from compiler.reporting.own_ops_text import OWN_OPS
from compiler.tasks import plugins
from tests.layergraph.commands.command import Runner

PYTHON, GENERATED = re.findall(r"```python\n(.*?)```", OWN_OPS, re.DOTALL)
YAML = re.findall(r"```yaml\n(.*?)```", OWN_OPS, re.DOTALL)[0]
PLUGIN = ("--plugin", "my_ops.py")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """What a test has registered is not there for the next."""
    plugins.load_installed.cache_clear()
    yield
    plugins.load_installed.cache_clear()
    for module in plugins._modules:
        registry.forget(module.__name__)
        sys.modules.pop(module.__name__, None)
    plugins._modules.clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_ops.py").write_text(PYTHON)
    (tmp_path / "vocoder.yaml").write_text(YAML)
    return tmp_path


def test_the_example_of_the_page_builds(folder: Path, run: Runner) -> None:
    done = run("build", "vocoder.yaml", "--out", "out", "--verify", *PLUGIN)
    assert done.code == 0, done.err
    code = (folder / "out" / "vocoder.py").read_text()
    assert GENERATED in code
    assert "class Snake(nn.Module):" in code
    imported = re.findall(r"^(?:from|import) (\w+)", code, re.MULTILINE)
    assert {*imported} == {"__future__", "torch"}
    assert (folder / "out" / "vocoder.svg").exists()
    lg.load_plugin("my_ops.py")
    network = lg.load("vocoder.yaml")
    x = torch.randn(2, 1, 9)
    seen = network.get_submodule("conv")(x)
    snaked = seen + torch.sin(0.5 * seen).square() / 0.5
    wanted = torch.relu(network.get_submodule("out")(snaked)).square()
    torch.testing.assert_close(network(x), wanted)


def test_every_command_takes_it(folder: Path, run: Runner) -> None:
    for command in (("check", "vocoder.yaml"), ("summary", "vocoder.yaml", "--json")):
        done = run(*command, *PLUGIN)
        assert done.code == 0, done.err
    assert json.loads(done.out)
    assert run("diagram", "vocoder.yaml", "-o", "net.svg", *PLUGIN).code == 0
    found = run("ops", "snake", *PLUGIN)
    assert found.code == 0 and "alpha: a number; default 1.0" in found.out


def test_without_the_plugin_the_message_says_how_to_go_on(
    folder: Path, run: Runner
) -> None:
    done = run("check", "vocoder.yaml")
    assert done.code == 1
    assert "there is no op snake" in done.err and "--plugin FILE" in done.err


def test_an_installed_package_brings_ops_along(
    folder: Path, monkeypatch: pytest.MonkeyPatch, run: Runner
) -> None:
    (folder / "installed_ops.py").write_text(PYTHON)
    monkeypatch.syspath_prepend(str(folder))
    entry = EntryPoint("snakes", "installed_ops", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [entry])
    done = run("check", "vocoder.yaml")
    assert done.code == 0, done.err
    sys.modules.pop("installed_ops")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"snake"', '"relu"', "there is an op relu already"),
        (
            "    def infer(self, ctx, input):\n        return input\n",
            "",
            "no method `infer`",
        ),
        ("Snake", "StepState", "a name of LayerGraph's own library"),
        ("import torch\n", "import numpy as torch\n", "torch and the standard library"),
    ],
)
def test_what_is_wrong_is_said(
    folder: Path, before: str, after: str, message: str
) -> None:
    text = PYTHON.replace(before, after)
    assert text != PYTHON
    (folder / "my_ops.py").write_text(text)
    with pytest.raises(RequestError, match=re.escape(message)):
        lg.load_plugin("my_ops.py")
    assert registry.find_op("snake") is None
    assert registry.find_op("squared_relu") is None
