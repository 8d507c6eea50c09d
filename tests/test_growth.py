"""How the work of every command grows with the size of a spec, in calls of functions: no clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from cProfile import Profile
from functools import partial
from pathlib import Path

import pytest

from bench.flat import gpt2
from compiler import UNLIMITED, Program, SpecError, compile_spec
from compiler.diagnostics.render import render
from compiler.diagnostics.source import Source
from compiler.diff.changes_text import report
from compiler.diff.compare import compare
from compiler.fmt.expand import expand
from compiler.fmt.format_spec import format_spec
from compiler.fmt.write_spec import write_spec
from compiler.reporting.explanation import explain
from tests.fuzz.large import KINDS

STEP, MOST = 7, 1.33
"""How much dearer the third step in size may be than the second: 1.0 if linear, 1.67 if quadratic."""

STEPS = {
    "doubling_with_sizes": (10, 1.4),
    "long_expression": (20, MOST),  # a line that is broken is more work, once
    "params_in_a_chain": (40, 1.4),  # halving many params takes n log n, and not n
    "params_used": (10, 1.4),
    "products_of_symbols": (10, 1.4),
    "ranks_of_a_chain": (10, 1.4),
    "residues": (10, 1.4),
    "unknown_layers": (10, 1.4),
    "uses_of_ranks": (10, 1.4),
}
"""Larger steps, where a logarithm or what is done for small sizes alone is much of the work."""


@pytest.mark.parametrize("kind", KINDS)
def test_work_grows_with_the_size(kind: str, tmp_path: Path) -> None:
    step, most = STEPS.get(kind, (STEP, MOST))
    files = [tmp_path / f"{number}.yaml" for number in (1, 2, 3)]
    for number, file in enumerate(files, start=1):
        file.write_text(KINDS[kind](number * step), encoding="utf-8")
    every_command(files[2])  # what is remembered between specs is known from here on
    small, middle, large = (calls(partial(every_command, file)) for file in files)
    assert large - middle <= most * max(middle - small, 500), (small, middle, large)


COPIES = {
    "all_copies_are_equal": ("dropout", 1.1),
    "the_first_copy_differs": ("0.0 if i == 0 else dropout", 2.0),
}
"""The dropout of copy `i` of GPT-2's block, and how much dearer a thousand copies may be than one."""


@pytest.mark.parametrize("case", COPIES)
def test_copies_that_are_equal_cost_little(case: str, tmp_path: Path) -> None:
    dropout, most = COPIES[case]
    found = []
    for count in (1, 1_000):
        file = tmp_path / f"{count}.yaml"
        file.write_text(gpt2(count, dropout), encoding="utf-8")
        _of_copies(file)  # what is remembered between specs is known from here on
        found.append(calls(partial(_of_copies, file)))
    assert found[1] <= most * found[0], found


def _of_copies(file: Path) -> None:
    program = compile_spec(file, limits=UNLIMITED)
    assert program.python
    assert str(program.summary)


def every_command(file: Path) -> None:
    """What the commands do that look at one spec, or at two."""
    text = file.read_text(encoding="utf-8")
    try:
        format_spec(Source(file.name, text))
        program = compile_spec(file, strict=False)
    except SpecError as error:
        render(error.diagnostics, {file.name: Source(file.name, text)})
        return
    drawing = program.diagram()
    assert drawing.dot
    assert drawing.mermaid
    if program.check():
        render(program.check(), program.sources)
    if not program.typed.failed and program.typed.networks:
        _made(program, text)


def _made(program: Program, text: str) -> None:
    try:
        assert program.python
    except SpecError:
        return
    assert str(program.summary)
    assert write_spec(expand(program.typed, program.task_node))
    report(compare(program.typed, program.typed))
    layer = re.search(r"^layers:\n  (\w+)", text, re.MULTILINE)
    if layer:
        explain(program.typed, layer[1])


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, those of C among them."""
    profile = Profile(subcalls=False)  # who calls whom is not asked
    profile.runcall(work)
    return sum(entry.callcount for entry in profile.getstats())
