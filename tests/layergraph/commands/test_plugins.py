"""Plug-ins: the example of docs/tasks.md, a task and a metric of one's own, and what is wrong in a plug-in."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
import torch

import layergraph as lg
from compiler.diagnostics.diagnostic import RequestError, SpecError
from compiler.reporting.tasks_text import PLUGINS
from compiler.tasks import plugins, task_kinds
from runtime.engine.callbacks import Callback
from runtime.engine.run_folder import RunFolder
from runtime.engine.trainer import TrainerOptions, train
from runtime.tasks.example_losses import example_losses
from runtime.tasks.learner import learner_class
from tests.layergraph.commands.command import Runner

PYTHON, YAML = (
    re.findall(rf"```{language}\n(.*?)```", PLUGINS, re.DOTALL)[0]
    for language in ("python", "yaml")
)
OWN_TASK = '''
from typing import ClassVar, Literal
import torch
from compiler.tasks.metrics import Metric
from compiler.tasks.ports import FREE
from compiler.tasks.roles import Role
from compiler.tasks.task import Task
from runtime.tasks.learner import Learner


class Worst(Metric):
    """The largest loss of an example."""

    name: ClassVar[str] = "worst"
    answers: ClassVar[tuple[str, ...]] = ("classes",)
    better: ClassVar[str] = "lower"

    def compute(self, output, answer):
        return torch.nn.functional.cross_entropy(output, answer, reduction="none").max()


class Brightness(Task):
    """The mean of an image."""

    forms: ClassVar = ("images",)
    roles: ClassVar = (
        Role("image", "input", "float[B, C, H, W]", "an image"),
        Role("mean", "output", "float[B]", "its mean"),
    )
    example: ClassVar[str] = "kind: brightness"
    kind: Literal["brightness"]

    def fits(self, check, facts):
        net = check.network()
        if net is not None:
            check.input(net, "image", "float", (FREE, *facts.image))
            check.output(net, "mean", "float", (FREE,))


class BrightnessLearner(Learner[Brightness]):
    def loss(self, network, batch, progress):
        mean = self.output("", "mean", image=batch["image"])
        return (mean - batch["image"].mean((1, 2, 3))).square().sum()

    def evaluate(self, batches, final):
        losses = [self.loss("", batch, 1) / len(batch["image"]) for batch in batches]
        return {"loss": float(torch.stack(losses).mean())}
'''
NET = """
name: Net
inputs: {image: "float[B, 1, 8, 8]"}
layers:
  flat: flatten
  head: {op: linear, out_features: OUT}
  last: LAST
outputs: {PORT: last}
task: {TASK, data: digits, epochs: 2}
"""


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """What a test has registered is not there for the next."""
    plugins.load_installed.cache_clear()
    yield
    plugins.load_installed.cache_clear()
    for module in [*plugins._modules]:
        plugins._forget(module.__name__, {family: {} for family in plugins.METHODS})
    plugins._modules.clear()
    task_kinds._added.clear()


def net(out: int, last: str, port: str, task: str) -> str:
    words = {"OUT": str(out), "LAST": last, "PORT": port, "TASK": task}
    text = NET
    for word, value in words.items():
        text = text.replace(word, value)
    return text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_plugin.py").write_text(PYTHON)
    (tmp_path / "rings.yaml").write_text(YAML)
    return tmp_path


def test_the_example_of_the_page_has_40_lines_of_code() -> None:
    code = [line for line in PYTHON.splitlines() if line.strip()]
    assert 35 <= len(code) <= 45


def test_the_example_of_the_page_trains(folder: Path, run: Runner) -> None:
    plugin = ("--plugin", "my_plugin.py")
    done = run("train", "rings.yaml", *plugin, "--run", "runs/rings")
    assert done.code == 0, done.err
    done = run("evaluate", "runs/rings", *plugin)
    assert done.code == 0
    accuracy = re.search(r"accuracy +(\S+)", done.out)
    assert accuracy is not None and float(accuracy[1]) > 0.95
    opened = lg.open_run("runs/rings")
    focal = opened.task.loss  # type: ignore[attr-defined]
    assert focal.arguments == {"weight": 1.0, "gamma": 1.5}
    output, answer = torch.randn(5, 2), torch.tensor([0, 1, 1, 0, 1])
    plain = torch.nn.functional.cross_entropy(output, answer, reduction="none")
    expected = (1 - output.softmax(1)[range(5), answer]) ** 1.5 * plain
    torch.testing.assert_close(focal.compute(output, answer), expected)


def test_declarations_are_checked_in_the_spec(folder: Path) -> None:
    lg.load_plugin("my_plugin.py")
    for before, after, message in (
        ("gamma: 1.5", "gamma: -1", "gamma must be above 0"),
        ("gamma: 1.5", "gama: 1.5", "focal has no argument gama"),
        ("noise: 0.2", "nois: 0.2", "rings has no argument nois"),
        ('float[B, T, 2]"', 'float[B, T, 3]"', "needs sequence to be"),
        ("out_features: 2}", "out_features: 3}", "needs logits to be float"),
    ):
        (folder / "rings.yaml").write_text(YAML.replace(before, after))
        with pytest.raises(SpecError, match=re.escape(message)):
            lg.compile("rings.yaml")


def test_a_spec_alone_loads_no_plug_in(folder: Path, run: Runner) -> None:
    done = run("check", "rings.yaml")
    assert done.code == 1 and "there is no data set rings" in done.err


def test_a_task_and_a_metric(folder: Path) -> None:
    (folder / "own.py").write_text(OWN_TASK)
    lg.load_plugin(folder / "own.py")
    (folder / "a.yaml").write_text(
        net(1, "{op: squeeze, dim: 1}", "mean", "kind: brightness")
    )
    (folder / "b.yaml").write_text(
        net(
            10,
            "identity",
            "logits",
            "kind: classification, metrics: [worst], best: worst",
        )
    )
    for name, metric in (("a", "loss"), ("b", "worst")):
        program = lg.compile(f"{name}.yaml")
        options = TrainerOptions(accelerator="cpu")
        own = RunFolder(folder / name)
        state = train(program, own, options, lambda session: Callback())
        assert own.read_info()["metric"] == metric
        assert state.best == min(row[metric] for row in state.metrics)
        assert lg.open_run(name).evaluate()[metric] == pytest.approx(state.best)
    (folder / "a.yaml").write_text(net(2, "identity", "mean", "kind: brightness"))
    with pytest.raises(SpecError, match="needs mean to be"):
        lg.compile("a.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (", r"bad\.py:1: SyntaxError"),
        ("import torch\n\nx = unknown\n", r"bad\.py:3: NameError"),
        (
            PYTHON.replace('"focal"', '"mse"'),
            "class Focal: there is a loss mse already",
        ),
        (PYTHON.replace('"rings"', '"digits"'), "there is a data set digits already"),
        (PYTHON.replace("def compute", "def other"), "focal has no method `compute`"),
        (PYTHON.replace("def load", "def other"), "rings has no method `load`"),
        (
            OWN_TASK.replace("brightness", "regression"),
            "there is a task regression already",
        ),
    ],
)
def test_what_is_wrong_in_a_plug_in(folder: Path, text: str, message: str) -> None:
    (folder / "bad.py").write_text(text)
    before = {family: dict(family.members()) for family in plugins.METHODS}
    with pytest.raises(RequestError, match=message):
        lg.load_plugin("bad.py")
    taken = {("loss", "mse"), ("data set", "digits")}
    for family, members in before.items():
        for noun, name in taken:
            if family.noun == noun:
                assert family.members()[name] is members[name]


def test_a_file_that_is_not_there(run: Runner) -> None:
    done = run("check", "gpt2", "--plugin", "none.py")
    assert done.code == 2 and "is not a Python file" in done.err


def test_a_task_without_a_learner(folder: Path) -> None:
    (folder / "own.py").write_text(OWN_TASK.partition("class BrightnessLearner")[0])
    lg.load_plugin("own.py")
    with pytest.raises(RequestError, match=r"no class of Learner\[Brightness\]"):
        learner_class("brightness")


def test_a_loss_of_another_shape(folder: Path) -> None:
    whole = "(1 - (-loss).exp()) ** self.gamma * loss"
    assert whole in PYTHON
    (folder / "my_plugin.py").write_text(PYTHON.replace(whole, "loss.mean()"))
    lg.load_plugin("my_plugin.py")
    focal = plugins.Loss.members()["focal"]()
    with pytest.raises(RequestError, match="must have a value for each example"):
        example_losses(focal, torch.randn(3, 2), torch.tensor([0, 1, 0]))


def test_an_installed_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded(self: EntryPoint) -> ModuleType:
        spec = spec_from_file_location("installed_plugin", folder / "my_plugin.py")
        assert spec is not None and spec.loader is not None
        module = sys.modules["installed_plugin"] = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    monkeypatch.setattr(EntryPoint, "load", loaded)
    entry = EntryPoint("rings", "installed_plugin", plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [entry])
    assert lg.compile("rings.yaml").task is not None
