"""What a benchmark finds: a table, and the claims that it holds against the figures."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata


@dataclass(frozen=True)
class Claim:
    """What must hold, and the figure that says whether it does."""

    text: str
    figure: str
    holds: bool

    def __str__(self) -> str:
        return (
            f"{self.text}: {self.figure}{'' if self.holds else ' (it does not hold)'}"
        )


@dataclass(frozen=True)
class Result:
    """One benchmark."""

    title: str
    method: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    claims: Sequence[Claim] = ()

    def markdown(self) -> str:
        """As a section of the page."""
        lines = [f"## {self.title}", "", self.method, ""]
        lines += table(self.header, self.rows)
        if self.claims:
            lines += ["", *(f"- {claim}" for claim in self.claims)]
        return "\n".join(lines)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of Markdown, its columns as wide as they need to be."""
    every = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    sides = [str.ljust, *[str.rjust] * (len(widths) - 1)]

    def line(cells: Sequence[str]) -> str:
        padded = zip(sides, cells, widths, strict=True)
        return f"| {' | '.join(side(cell, width) for side, cell, width in padded)} |"

    rules = [
        ("-" * width if n == 0 else "-" * (width - 1) + ":")
        for n, width in enumerate(widths)
    ]
    return [line(every[0]), line(rules), *map(line, every[1:])]


def page(results: Sequence[Result]) -> str:
    """The page of all results."""
    shown = "\n\n".join(result.markdown() for result in results)
    return f"""# Performance

Written by `make bench`, which measures all of it again (`make bench ARGS="--only startup"` measures one part and
leaves this page as it is). Times depend on the machine; the ratios are of jobs that ran by turns in one run.

Measured on {date()}, on {machine()}, with {_versions()}.

{shown}
"""


def replaced(text: str, result: Result) -> str:
    """The page with one section measured anew, or added behind the others."""
    measured = f"Measured on {date()}, on {machine()}."
    section = replace(result, method=f"{result.method}\n\n{measured}").markdown()
    start = text.find(f"## {result.title}\n")
    if start < 0:
        return f"{text.rstrip()}\n\n{section}\n"
    end = text.find("\n## ", start)
    rest = "" if end < 0 else text[end:]
    return f"{text[:start]}{section}\n{rest}"


def date() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


def machine() -> str:
    """Such as `2 cores (x86_64, Linux; load average 1.3)`."""
    here = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if here else os.cpu_count()
    load = (
        f"; load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    )
    return f"{cores} cores ({platform.machine()}, {platform.system()}{load})"


def _versions() -> str:
    named = ["torch", "keras", "transformers", "pydantic", "networkx", "PyYAML"]
    found = [f"{name} {metadata.version(name)}" for name in named if _installed(name)]
    return ", ".join([f"Python {sys.version.split()[0]}", *found])


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def seconds(value: float) -> str:
    """Such as `0.31 s`, `12 ms` or `190 µs`."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if value * factor >= 1:
            digits = 2 if value * factor < 10 else 1 if value * factor < 100 else 0
            return f"{value * factor:.{digits}f} {unit}"
    return f"{value * 1e9:.0f} ns"
