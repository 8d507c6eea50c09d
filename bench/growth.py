"""How the time of every pass grows with the number of layers, and with that of copies."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.flat import flat, gpt2
from bench.report import Claim, Result, seconds
from bench.timing import ROOT, alternate, measured, python, ratio
from compiler import UNLIMITED, compile_spec
from compiler.codegen.printer import print_module
from compiler.cost.measure import measure
from compiler.diagnostics.source import Source
from compiler.elaborate.elaborate import elaborate
from compiler.infer.infer import infer
from compiler.ir.graph import Unit
from compiler.language.check import check
from compiler.lower.lower import lower
from compiler.parse.gc_pause import gc_paused
from compiler.parse.parse import parse
from compiler.program import Program

SIZES = (100, 1_000, 10_000, 100_000)
_FROM = 1_000  # below it, what a network costs whatever its size has too much weight
_NOISE = 1.5
_PASSES = ("parse", "check", "elaborate", "infer", "measure", "lower", "print")


def passes(text: str) -> dict[str, float]:
    """Seconds of processor time of each pass."""
    times: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        before = time.process_time()
        found = work()
        times[name] = time.process_time() - before
        return found

    with gc_paused():
        document = timed("parse", lambda: parse(Source("flat.yaml", text), UNLIMITED))
        spec = timed("check", lambda: check(document))
        graph = timed("elaborate", lambda: elaborate(Unit(spec, document)))
        typed = timed("infer", lambda: infer(graph, limits=UNLIMITED))
        timed("measure", lambda: measure(typed))
        module = timed("lower", lambda: lower(typed))
        timed("print", lambda: print_module(module))
    return times


def of_layers(rounds: int, sizes: Sequence[int] = SIZES) -> Result:
    """A flat spec, each size in processes of its own."""
    runs: dict[int, list[Mapping[str, float]]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size in sizes:
            runs[size].append(_in_process(size))
    found = {size: _medians(several) for size, several in runs.items()}
    header = ["layers", *_PASSES, "in all", "for each layer"]
    rows = [_row(size, times) for size, times in found.items()]
    each = {size: sum(times.values()) / size for size, times in found.items()}
    small, large = min(s for s in sizes if s >= _FROM), max(sizes)
    growth = each[large] / each[small]
    text = (
        f"a layer of {large:,} takes no longer than one of {small:,} (noise: {_NOISE})"
    )
    claims = [
        Claim(text, f"{growth:.2f} times", growth <= _NOISE),
        Claim(
            "the largest takes less than a minute",
            seconds(each[large] * large),
            each[large] * large < 60,
        ),
    ]
    return Result("Growth with the number of layers", _METHOD, header, rows, claims)


_METHOD = """\
A spec without blocks (linear, relu, residual sum and layer_norm by turns), without limits, through the passes one by
one; processor time, each size in a process of its own that has compiled a small spec before. The last column is in
microseconds."""


def _row(size: int, times: Mapping[str, float]) -> list[str]:
    total = sum(times.values())
    cells = [seconds(times[name]) for name in _PASSES]
    return [f"{size:,}", *cells, seconds(total), f"{total / size * 1e6:.0f}"]


def _medians(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in several) for name in _PASSES}


def _in_process(size: int) -> dict[str, float]:
    done = subprocess.run(
        python("-m", "bench.growth", str(size)),
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


_REPEATS = 1_000
_CASES = {
    "all copies equal": "dropout",
    "the first copy differs": "0.0 if i == 0 else dropout",
    "every copy differs": "dropout * i / depth",
}


def of_copies(rounds: int) -> Result:
    """GPT-2 with one block, and with a thousand."""
    rows, claims = [], []
    for case, dropout in _CASES.items():
        one, many = _one_and_many(dropout, rounds)
        times = ratio(many, one)
        rows.append([case, seconds(one.wall), seconds(many.wall), f"{times:.2f}"])
        text = f"{_REPEATS:,} copies cost at most twice what one costs ({case})"
        claims.append(Claim(text, f"{times:.2f} times", times <= 2))
    header = ["GPT-2's block, repeated", "once", f"{_REPEATS:,} times", "ratio"]
    return Result("Growth with the number of copies", _COPIES, header, rows, claims)


_COPIES = """\
From the file to the text of the module and the summary, in one process, by turns. Copies that are equal in types and
arguments are inferred once. Copies of which each has another argument (here, another probability of dropout) are that
many distinct blocks, and are inferred and measured one by one, which costs more than twice."""


def _one_and_many(dropout: str, rounds: int) -> tuple[Any, Any]:
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for depth in (1, _REPEATS):
            files[depth] = Path(folder, f"gpt2_{depth}.yaml")
            files[depth].write_text(gpt2(depth, dropout), encoding="utf-8")
        jobs = {
            str(depth): lambda file=file: measured(lambda: _all_of(file))
            for depth, file in files.items()
        }
        found = alternate(jobs, rounds)
    return found["1"], found[str(_REPEATS)]


def _all_of(file: Path) -> tuple[str, object]:
    program: Program = compile_spec(file, limits=UNLIMITED)
    return program.python, program.summary


if __name__ == "__main__":
    for _ in range(3):
        passes(flat(100))
    json.dump(passes(flat(int(sys.argv[1]))), sys.stdout)
