"""Every kind of large spec through every command, in a process each: who takes more than it may."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.fuzz.large import HEAD, KINDS, MIB, largest

SECONDS, MEGABYTES = 2.0, 300.0
"""Of processor time and of memory, for one command."""
_STOPPED = 20
"""Seconds after which the clock ends a command."""
_MEASURE = """
import resource, subprocess, sys
with open(sys.argv[1], "w") as printed:
    subprocess.call(sys.argv[2:], stdout=printed, stderr=printed)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
"""Runs a command from a small process: one that is forked from a large one counts that one's memory as its own."""
_ATTEMPTS = 3
"""A command that takes too long runs again, for other work on the machine slows it down; the fastest run counts."""


@dataclass(frozen=True)
class Cost:
    """What one command took for one large spec."""

    kind: str
    size: int
    """Of the spec, in bytes."""
    command: str
    seconds: float
    megabytes: float
    answer: str

    @property
    def is_refused(self) -> bool:
        """Whether the spec is too large for it."""
        return "too-large" in self.answer

    @property
    def misses(self) -> list[str]:
        """The bounds that it does not keep."""
        found = [f"takes {self.seconds:.1f} s"] if self.seconds > SECONDS else []
        if self.megabytes > MEGABYTES:
            found.append(f"takes {self.megabytes:.0f} MB")
        if "Traceback (most recent call last)" in self.answer:
            found.append("raises")
        return found

    def __str__(self) -> str:
        line = f"{self.kind:24} {self.size:9,} {self.command:12} {self.seconds:5.2f} s"
        refused = " refused" if self.is_refused else ""
        missed = "".join(f" MISSED: {one}" for one in self.misses)
        return f"{line} {self.megabytes:4.0f} MB{refused}{missed}"


def run_bounds(kinds: Iterable[str], out: Path) -> Iterator[Cost]:
    """What every command takes for the largest spec of each kind that `check` takes, and `check` for larger ones."""
    small = out / "small.yaml"
    small.write_text(f"{HEAD}  a: relu\n", encoding="utf-8")
    for kind in kinds:
        size, refused = MIB, True
        while refused and size > 4_096:  # then the largest that is taken
            file = out / f"{kind}.yaml"
            file.write_text(largest(KINDS[kind], size), encoding="utf-8")
            found = _run(kind, file, ["check", str(file)], out)
            yield found
            refused, size = found.is_refused, size * 3 // 5
        for command in _commands(file, small, out):
            yield _run(kind, file, command, out)


def table(costs: Iterable[Cost]) -> str:
    """The section of the docs: what each command takes at most, and every bound that is missed."""
    by_command: dict[str, list[Cost]] = {}
    for cost in costs:
        by_command.setdefault(cost.command, []).append(cost)
    lines = [
        "| command | runs | median | largest | for | most memory |",
        "|---|---:|---:|---:|---|---:|",
    ]
    for command, found in by_command.items():
        slowest = max(found, key=lambda one: one.seconds)
        memory = max(one.megabytes for one in found)
        middle = median(one.seconds for one in found)
        lines.append(
            f"| {command} | {len(found)} | {middle:.2f} s | {slowest.seconds:.2f} s "
            f"| {slowest.kind} | {memory:.0f} MB |"
        )
    missed = [one for found in by_command.values() for one in found if one.misses]
    lines += ["", f"{len(missed)} of these runs miss a bound."]
    lines += [
        f"- {one.kind}, {one.size:,} bytes: `{one.command}` {' and '.join(one.misses)}"
        for one in missed
    ]
    return "\n".join(lines) + "\n"


def _commands(file: Path, small: Path, out: Path) -> Iterator[list[str]]:
    spec, text = str(file), file.read_text(encoding="utf-8")
    layer = re.search(r"^layers:\n  (\w{1,99})", text, re.MULTILINE)
    yield from (["summary", spec], ["expand", spec], ["diff", str(small), spec])
    yield ["build", spec, "--out", str(out / "built")]
    yield from (["diagram", spec, "-o", str(out / f"a.{f}")] for f in ("dot", "mmd"))
    yield ["explain", spec, layer[1] if layer else "a"]
    yield ["fmt", spec]


def _run(kind: str, file: Path, command: list[str], out: Path) -> Cost:
    """What a command takes; the least of some runs where it is too much."""
    size = file.stat().st_size
    name = " ".join([command[0], *re.findall(r"\.(dot|mmd)$", command[-1])])
    found = Cost(kind, size, name, *_measured(command, out))
    for _ in range(_ATTEMPTS - 1):
        if found.seconds > SECONDS:
            again = Cost(kind, size, name, *_measured(command, out))
            found = min(found, again, key=lambda one: one.seconds)
    return found


def _measured(command: list[str], out: Path) -> tuple[float, float, str]:
    """The seconds and megabytes of a command, and what it printed."""
    printed = out / "printed.txt"
    own = [sys.executable, "-S", "-c", _MEASURE, str(printed)]
    program = ["timeout", str(_STOPPED), sys.executable, "cli.py", *command]
    used = subprocess.run([*own, *program], capture_output=True, check=True).stdout
    seconds, kilobytes = map(float, used.split())
    answer = printed.read_text(encoding="utf-8", errors="replace")
    return seconds, kilobytes / 1_024, answer
