"""The command by itself: what it imports, and what it says where a package is missing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path


def run(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_torch_is_not_imported() -> None:
    done = run(
        "import sys\n"
        "from tests.lsp.test_typing import TEXT, answers, server\n"
        "from layergraph.lsp.server import make_server\n"
        "make_server(); answers(server(), TEXT, 400, 1)\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_without_pygls_it_names_the_extra() -> None:
    done = run(
        "import sys; sys.modules['pygls'] = None\n"
        "from layergraph.__main__ import main\n"
        "sys.argv = ['layergraph', 'lsp']; main()"
    )
    assert done.returncode == 2
    said = "error: pygls is not installed: pip install 'layergraph[lsp]'\n"
    assert done.stderr == said


def test_the_extension_starts_this_command_and_has_these_settings() -> None:
    folder = Path("editors/vscode")
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    settings = package["contributes"]["configuration"]["properties"]
    assert settings["layergraph.command"]["default"] == ["layergraph", "lsp"]
    code = (folder / "extension.js").read_text(encoding="utf-8")
    used = set(re.findall(r'settings\(\)\.get\("(\w+)"\)', code))
    assert {f"layergraph.{name}" for name in used} == set(settings)
    page = Path("docs/editors.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in settings)
    assert package["main"] == "./extension.js"
