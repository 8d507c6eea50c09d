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
from typing import Any, Final

from bench.flat import flat, gpt2
from bench.report import Bar, Benchmark, Figures, seconds
from bench.timing import ROOT, Timing, alternate, cpu_ratio, measured, python
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
_FROM = 1_000  # below it, the costs that do not depend on the size have too much weight
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


def _measure_layers(rounds: int) -> Figures:
    """A flat spec, each size in processes of its own."""
    runs: dict[int, list[Mapping[str, float]]] = {size: [] for size in SIZES}
    for _ in range(rounds):
        for size in SIZES:
            runs[size].append(_in_process(size))
    found = {size: _medians(several) for size, several in runs.items()}
    total = {size: sum(times.values()) for size, times in found.items()}
    each = {size: time / size for size, time in total.items()}
    largest = max(SIZES)
    return Figures(
        [_row(size, times) for size, times in found.items()],
        {"each": each[largest] / each[_FROM], "largest": total[largest]},
    )


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
    "all copies equal": ("dropout", 2),
    "the first copy differs": ("0.0 if i == 0 else dropout", 2),
    "every copy differs": ("dropout * i / depth", 20),
}
"""The dropout of copy `i`, and how many times the cost of one copy a thousand may have."""


def _measure_copies(rounds: int) -> Figures:
    """GPT-2 with one block, and with a thousand."""
    rows, ratios = [], {}
    for case, (dropout, _) in _CASES.items():
        one, many = _one_and_many(dropout, rounds)
        ratios[case] = cpu_ratio(many, one)
        rows.append([case, seconds(one.cpu), seconds(many.cpu), f"{ratios[case]:.2f}"])
    return Figures(rows, ratios)


def _one_and_many(dropout: str, rounds: int) -> tuple[Timing, Timing]:
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


OF_LAYERS: Final = Benchmark(
    title="Growth with the number of layers",
    method="""\
A spec without blocks (linear, relu, residual sum and layer_norm, alternating), without limits, through the passes one
by one; processor time, each size in a process of its own that has compiled a small spec before. The last column is in
microseconds.""",
    header=["layers", *_PASSES, "in all", "for each layer"],
    bars={
        "each": Bar(
            f"ratio of a layer of {max(SIZES):,} to one of {_FROM:,}", most=1.5
        ),
        "largest": Bar("time of the largest", most=60, unit=" s"),
    },
    measure=_measure_layers,
    rounds=3,
)
OF_COPIES: Final = Benchmark(
    title="Growth with the number of copies",
    method="""\
From the file to the text of the module and the summary, with the check of the spec's `checkpoint`, in one process,
alternating; processor time. Copies that are equal in types and arguments are inferred once. In the last row each copy
has another probability of dropout.""",
    header=["GPT-2's block, repeated", "once", f"{_REPEATS:,} times", "ratio"],
    bars={
        case: Bar(f"ratio of {_REPEATS:,} copies to one, {case}", most=most)
        for case, (_, most) in _CASES.items()
    },
    measure=_measure_copies,
    rounds=9,
)


if __name__ == "__main__":
    for _ in range(3):
        passes(flat(100))
    json.dump(passes(flat(int(sys.argv[1]))), sys.stdout)
