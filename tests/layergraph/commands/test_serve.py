"""`serve`: what is refused before anything is served."""

import socket
from pathlib import Path

import pytest

from tests.layergraph.commands.command import GPT2, Runner


@pytest.mark.parametrize(
    ("editor", "said"),
    [
        ("code -g", "--editor needs {file}"),
        ("{file}", "--editor needs {file}"),
        ("no-such-editor {file}", "there is no program no-such-editor"),
        ("code '{file}", "No closing quotation"),
    ],
)
def test_an_editor_that_cannot_be_is_an_error(
    run: Runner, editor: str, said: str
) -> None:
    found = run("serve", GPT2, "--no-open", "--editor", editor)
    assert found.code == 2
    assert said in found.err


def test_a_port_that_is_taken_is_an_error(run: Runner) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = run("serve", GPT2, "--no-open", "--port", taken.getsockname()[1])
    assert found.code == 2
    assert "in use" in found.err


def test_a_file_that_is_not_there_is_an_error(run: Runner, tmp_path: Path) -> None:
    found = run("serve", tmp_path / "net.yaml", "--no-open")
    assert found.code == 2
    assert "there is no file" in found.err
