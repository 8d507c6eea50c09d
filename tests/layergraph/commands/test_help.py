"""What `--help` shows: every command with an example that works, every option with a phrase."""

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from layergraph import __version__
from layergraph.__main__ import app
from tests.layergraph.commands.command import Runner

ROOT = Path(__file__).parents[3]
RUNNABLE = (
    "build",
    "check",
    "diagram",
    "diff",
    "dump",
    "expand",
    "explain",
    "fmt",
    "ops",
)


def _commands() -> Iterator[tuple[str, Any]]:
    """Every command by the words that call it."""
    group: Any = get_command(app)
    for name in group.commands:
        command = group.get_command(None, name)
        inner = getattr(command, "commands", None)
        if inner is None:
            yield name, command
        else:
            yield from ((f"{name} {key}", one) for key, one in inner.items())


COMMANDS = dict(_commands())


def _example(name: str) -> list[str]:
    text = COMMANDS[name].help
    line = " ".join(text.partition("Example: layergraph ")[2].split())
    assert line.startswith(name), "no example of the command"
    return shlex.split(line.partition(" >")[0])


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of the examples."""
    for folder in ("specs", "recipes"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for run in ("cnn_digits", "rnn_characters"):
        (tmp_path / "runs" / run).mkdir(parents=True)
    (tmp_path / "model.safetensors").touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_command_lines(name: str) -> None:
    group: Any = get_command(app)
    command, words = group, _example(name)
    while hasattr(command, "commands"):
        command, words = command.get_command(None, words[0]), words[1:]
    command.make_context(name, words)  # raises UsageError


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", RUNNABLE)
def test_examples_run(run: Runner, name: str) -> None:
    found = run(*_example(name))
    assert (found.code, found.err) == (0, "")


@pytest.mark.parametrize("name", ["", "weights", *COMMANDS])
def test_help_is_whole(run: Runner, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found = run(*name.split(), "--help")
    assert (found.code, found.err) == (0, "")
    lines = found.out.splitlines()
    assert lines[0].startswith(f"Usage: layergraph {name}".rstrip())
    assert not [line for line in lines if line.endswith("...") and "Usage" not in line]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_and_option_has_a_phrase(name: str) -> None:
    for one in COMMANDS[name].params:
        assert one.help, f"{one.name} says nothing"
        assert one.help[0].isupper() and one.help.rstrip()[-1] in ".]"


def test_the_version(run: Runner) -> None:
    assert run("--version").out == f"layergraph {__version__}\n"
