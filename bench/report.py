"""A benchmark and the section of docs/performance.md that it becomes: a table, and bars with the figures they bound."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata


@dataclass(frozen=True)
class Bar:
    """What a figure must be: at most `most`, or at least `least`."""

    text: str
    most: float | None = None
    least: float | None = None
    unit: str = ""

    def holds(self, figure: float) -> bool:
        """Whether a figure meets it."""
        if self.most is not None and not figure <= self.most:
            return False
        return self.least is None or figure >= self.least

    def line(self, figure: float) -> str:
        """The bar and the figure, as the page has them."""
        missed = "" if self.holds(figure) else f" {MISSED}"
        return f"- {self}: {self._format(figure)}{missed}"

    def __str__(self) -> str:
        bounds = (("at most", self.most), ("at least", self.least))
        shown = (
            f"{word} {self._format(bar)}" for word, bar in bounds if bar is not None
        )
        return f"{self.text}, {' and '.join(shown)}"

    def _format(self, value: float) -> str:
        return f"{value:.3g}{self.unit}"


MISSED = "(**missed**)"


@dataclass(frozen=True)
class Figures:
    """What a run of a benchmark measured: the rows of its table, and a figure for each of its bars."""

    rows: Sequence[Sequence[str]]
    bounded: Mapping[str, float]


@dataclass(frozen=True)
class Benchmark:
    """A section of the page, with the bars that its figures must meet.

    Attributes:
        bars: by the names under which `measure` returns their figures.
        measure: takes the number of rounds.
        rounds: their usual number.
    """

    title: str
    method: str
    header: Sequence[str]
    bars: Mapping[str, Bar]
    measure: Callable[[int], Figures]
    rounds: int

    def section(self, figures: Figures) -> str:
        """The section of the page."""
        measured = f"Measured on {date()}, on {machine()}."
        lines = [f"## {self.title}", "", self.method, "", measured, ""]
        lines += table(self.header, figures.rows)
        if self.bars:
            lines += [""]
        lines += [bar.line(figures.bounded[name]) for name, bar in self.bars.items()]
        return "\n".join(lines)

    def missed(self, figures: Figures) -> list[str]:
        """The bars that do not hold, with their figures."""
        assert self.bars.keys() == figures.bounded.keys()
        return [
            bar.line(figures.bounded[name])
            for name, bar in self.bars.items()
            if not bar.holds(figures.bounded[name])
        ]


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


_HEAD = """# Performance

Written by `make bench`, which measures all of it again, and fails where a figure misses its bar
(`make bench ARGS="--only startup"` measures one part, and leaves this page as it is). Times depend on the machine.

A time is the median of all rounds. In a round, the jobs that are compared run one after the other, and the round has
a ratio of its own; **a ratio is the median of these paired ratios**. What slows the machine for a while slows both
jobs of a round, so that the ratio is steadier than the times; it need not be the quotient of the two medians beside it.
"""


def page(sections: Sequence[str]) -> str:
    """The page of all sections, with the versions they were measured with."""
    shown = "\n\n".join(sections)
    return f"{_HEAD}\nVersions: {_versions()}.\n\n{shown}\n"


def replaced(text: str, section: str) -> str:
    """The page with one section measured anew, or added as the last."""
    title = section.partition("\n")[0]
    start = text.find(f"{title}\n")
    if start < 0:
        return f"{text.rstrip()}\n\n{section}\n"
    end = text.find("\n## ", start)
    rest = "" if end < 0 else text[end:]
    return f"{text[:start]}{section}\n{rest}"


def sections(text: str) -> dict[str, str]:
    """The sections of a page by their titles."""
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: f"## {part.rstrip()}" for part in parts}


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
