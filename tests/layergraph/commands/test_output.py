"""Text from a run or a network moves no cursor of a terminal."""

import sys

import pytest

from layergraph.commands._output import echo_text


@pytest.mark.parametrize(
    ("terminal", "shown"),
    [(True, "a\\x1b[2Jb\nc\\u202ed\n"), (False, "ab\nc\u202ed\n")],
)
def test_control_characters_are_escaped_on_a_terminal(
    terminal: bool,
    shown: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    # In a file, Click drops the colour codes of terminals.
    echo_text("a\x1b[2Jb\nc\u202ed")
    assert capsys.readouterr().out == shown
