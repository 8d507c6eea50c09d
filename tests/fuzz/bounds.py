"""Every kind of large spec through every command, in a process each: who takes more than it may."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.fuzz.large import HEAD, KINDS, MIB, largest

SECONDS, MEGABYTES = 2.0, 300.0
"""Of processor time and of memory, for one command."""
_STOPPED = 20
"""Seconds after which the clock ends a command."""


def run_bounds(kinds: Iterable[str], out: Path) -> Iterator[str]:
    """A line for each command that takes too long, too much memory, or raises."""
    small = out / "small.yaml"
    small.write_text(f"{HEAD}  a: relu\n", encoding="utf-8")
    for kind in kinds:
        size, refused = MIB, True
        while refused and size > 4_096:  # then the largest that is taken
            file = out / f"{kind}.yaml"
            file.write_text(largest(KINDS[kind], size), encoding="utf-8")
            found, answer = _run(["check", str(file)], out)
            yield from (f"{kind} of {size:,} bytes: check {one}" for one in found)
            refused, size = "too-large" in answer, size * 3 // 5
        for command in _commands(file, small, out):
            found, _ = _run(command, out)
            yield from (f"{kind}: {command[0]} {one}" for one in found)


def _commands(file: Path, small: Path, out: Path) -> Iterator[list[str]]:
    spec, text = str(file), file.read_text(encoding="utf-8")
    layer = re.search(r"^layers:\n  (\w{1,99})", text, re.MULTILINE)
    yield from (["summary", spec], ["expand", spec], ["diff", str(small), spec])
    yield ["build", spec, "--out", str(out / "built")]
    yield from (["diagram", spec, "-o", str(out / f"a.{f}")] for f in ("dot", "mmd"))
    yield ["explain", spec, layer[1] if layer else "a"]
    yield ["fmt", spec]


def _run(command: list[str], out: Path) -> tuple[list[str], str]:
    """What is wrong with how a command ran, and what it printed."""
    with (out / "printed.txt").open("w+", encoding="utf-8") as printed:
        program = ["timeout", str(_STOPPED), sys.executable, "cli.py", *command]
        process = subprocess.Popen(program, stdout=printed, stderr=printed)
        _, _, used = os.wait4(process.pid, 0)
        printed.seek(0)
        answer = printed.read()
    seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1_024
    found = [f"takes {seconds:.1f} s"] if seconds > SECONDS else []
    found += [f"takes {megabytes:.0f} MB"] if megabytes > MEGABYTES else []
    found += ["raises"] if "Traceback (most recent call last)" in answer else []
    return found, answer
