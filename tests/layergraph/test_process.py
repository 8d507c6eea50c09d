"""The command line as a process of its own: what it imports, and how it meets a terminal."""

import os
import subprocess
import sys
from pathlib import Path

GPT2 = "specs/gpt2.yaml"


def started(*arguments: str, **options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "cli.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, **options)  # type: ignore[call-overload, no-any-return]


RUN = """{"name": "Net", "kind": "classification", "spec": "a.yaml", "variant": "", "command": "", "started": "",
"task": {}, "status": "finished", "epoch": 1, "epochs": 1, "step": 1, "seconds": 1, "metric": "loss", "best": 0.5}"""


def test_nothing_but_verify_imports_torch(tmp_path: Path) -> None:
    (tmp_path / "runs" / "one").mkdir(parents=True)
    (tmp_path / "runs" / "one" / "run.json").write_text(RUN)
    code = f"""
import sys
from layergraph.__main__ import main
for arguments in (
    ["check", "{GPT2}"], ["summary", "{GPT2}", "--at", "B=1,T=1"],
    ["build", "{GPT2}", "--out", "{tmp_path}"], ["explain", "{GPT2}", "h"],
    ["diagram", "{GPT2}", "-o", "{tmp_path / "a.svg"}"], ["expand", "{GPT2}"],
    ["diff", "{GPT2}", "{GPT2}"], ["ops"], ["schema"],
    ["runs", "{tmp_path / "runs"}"],
):
    sys.argv = ["cli.py", *arguments]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, arguments
    assert "torch" not in sys.modules, arguments
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_check_imports_little() -> None:
    code = f"""
import sys
from layergraph.__main__ import main
sys.argv = ["cli.py", "check", "{GPT2}"]
try:
    main()
except SystemExit:
    heavy = {{"rich", "networkx", "graphviz", "compiler.diagram"}}
    sys.exit(", ".join(heavy & set(sys.modules)) or 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_who_leaves_gets_no_traceback() -> None:
    shell = f"{sys.executable} cli.py ops | head -n 1"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout == "activation:\n"


def test_the_terminal_may_know_ascii_alone() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = started("summary", GPT2, env=environment)
    assert done.returncode == 0, done.stderr
