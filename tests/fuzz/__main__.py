"""Random specs against the interpreter: `python -m tests.fuzz --seeds 0:1000 --minutes 5 --out build/fuzz`.

Each spec goes through every command, and its module is verified, for several values of its params: all are given to
the constructor, one in three is compiled. One spec in eight goes through the command line itself. What differs or
raises is shrunk and written as a file; a table says how many came out how, and `faults.txt` names the seed of each
fault. `--processes` work at once.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from compiler.op.registry import ops
from tests.fuzz import bounds, causal_judge, step_judge, types_judge
from tests.fuzz.bounds import run_bounds
from tests.fuzz.judge import (
    COMPILED,
    DIFFERENCE,
    EXCEPTION,
    LINES,
    Outcome,
    effort_of,
    judge,
)
from tests.fuzz.large import KINDS
from tests.fuzz.matrix import WRAPPERS, run_matrix
from tests.fuzz.matrix import table as matrix_table
from tests.fuzz.mutants import judge_mutant, mutated
from tests.fuzz.shrink import Tree, shrink
from tests.fuzz.specs import spec_of, text_of
from tests.fuzz.types_judge import judge_types
from tests.fuzz.workers import each, judge_seed
from tests.soundness_page import write_section

FEW = 3
"""So many specs of one cause are shrunk and written."""
EFFORT = (
    f"all other values of the params through the constructor, 1 in {COMPILED} compiled; "
    f"1 spec in {LINES} through the command line, the others through what commands print"
)
OFTEN = 50
"""After so many specs the table is written anew."""


def main() -> int:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.large is not None:
        return _large(options)
    if options.causality:
        return _causality(options)
    if options.steps:
        return _steps(options)
    if options.mutants:
        return _mutants(options)
    if options.matrix:
        cells = run_matrix(options.ops, WRAPPERS, options.processes, options.out)
        text, kinds = matrix_table(cells), {kind for _, kind, _ in cells}
    else:
        counts = _fuzz(options)
        text, kinds = table(counts), {kind for kind, _ in counts}
        text += "" if options.types else f"\n{EFFORT}"
    (options.out / "table.txt").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    return bool(kinds & {DIFFERENCE, EXCEPTION})


def _large(options: argparse.Namespace) -> int:
    costs = []
    with (options.out / "large.txt").open("w", encoding="utf-8") as lines:
        for cost in run_bounds(options.large or KINDS, options.out):
            costs.append(cost)
            lines.write(f"{cost}\n")
            lines.flush()
    text = bounds.table(costs)
    if not options.large:
        write_section("large specs", text)
    sys.stdout.write(text)
    return any(cost.misses for cost in costs)


def _fuzz(options: argparse.Namespace) -> Counter[tuple[str, str]]:
    first, last = map(int, options.seeds.split(":"))
    end = time.monotonic() + 60 * options.minutes
    counts: Counter[tuple[str, str]] = Counter()
    judge_one = judge_types if options.types else judge_seed
    faults = options.out / "faults.txt"
    faults.write_text("", encoding="utf-8")
    for seed, outcome in each(judge_one, range(first, last), options.processes):
        key = outcome.kind, outcome.cause
        counts[key] += 1
        if outcome.is_fault:
            with faults.open("a", encoding="utf-8") as lines:
                lines.write(f"{seed} {outcome.kind}: {outcome.cause}\n")
        if outcome.is_fault and counts[key] <= FEW:
            effort = replace(effort_of(seed), compile_every=1)
            again = (
                partial(types_judge.judge, seed=seed)
                if options.types
                else partial(judge, effort=effort)
            )
            fails = partial(_alike, again, outcome)
            spec = shrink(spec_of(seed), fails, options.shrink)
            _write(options.out, seed, spec, again(text_of(spec)))
        if seed % OFTEN == OFTEN - 1 or outcome.is_fault:
            text = f"seeds {first}:{seed + 1}\n{table(counts)}\n"
            (options.out / "table.txt").write_text(text, encoding="utf-8")
        if time.monotonic() > end:
            break
    return counts


def _causality(options: argparse.Namespace) -> int:
    """Compare the proof of causality with running random networks."""
    first, last = map(int, options.seeds.split(":"))
    seeds, failed = range(first, last), False
    for judge_one in (causal_judge.judge_seed, causal_judge.judge_structure):
        judged = zip(seeds, each(judge_one, seeds, options.processes), strict=True)
        counts = causal_judge.counted(judged)
        for key, count in sorted(counts.items(), key=str):
            sys.stdout.write(f"{count:6} {key}\n")
        failed |= bool({"UNSOUND", "WRONG LAYER"} & counts.keys())
    return failed


def _steps(options: argparse.Namespace) -> int:
    """Compare running random networks in pieces with running them on the whole."""
    first, last = map(int, options.seeds.split(":"))
    seeds = range(first, last)
    judged = each(step_judge.judge_seed, seeds, options.processes)
    counts = step_judge.counted(zip(seeds, judged, strict=True))
    for key, count in sorted(counts.items(), key=str):
        sys.stdout.write(f"{count:6} {key}\n")
    return bool(counts.keys() & set(step_judge.WRONG))


def _mutants(options: argparse.Namespace) -> int:
    """Give damaged specs to every command."""
    first, last = map(int, options.seeds.split(":"))
    end = time.monotonic() + 60 * options.minutes
    counts: Counter[tuple[str, str]] = Counter()
    for seed, outcome in each(judge_mutant, range(first, last), options.processes):
        key = outcome.kind, outcome.cause
        counts[key] += 1
        if outcome.is_fault and counts[key] <= FEW:
            path = options.out / f"mutant_{seed}.yaml"
            path.write_bytes(mutated(seed))
            path.with_suffix(".txt").write_text(f"{outcome.cause}\n{outcome.detail}")
        (options.out / "table.txt").write_text(table(counts), encoding="utf-8")
        if time.monotonic() > end:
            break
    sys.stdout.write(table(counts) + "\n")
    return any(kind == EXCEPTION for kind, _ in counts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0:1000", help="from:to")
    parser.add_argument(
        "--matrix", action="store_true", help="every op in every wrapper"
    )
    parser.add_argument(
        "--causality", action="store_true", help="the proof against running networks"
    )
    parser.add_argument(
        "--steps", action="store_true", help="networks in pieces against the whole"
    )
    parser.add_argument(
        "--mutants", action="store_true", help="damaged specs through every command"
    )
    parser.add_argument(
        "--large", nargs="*", help="large specs (all kinds, or these) in every command"
    )
    parser.add_argument(
        "--types", action="store_true", help="the seeds on types alone, at more values"
    )
    parser.add_argument("--ops", nargs="*", default=list(ops()), help="of the matrix")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument(
        "--shrink", type=float, default=60, help="seconds for each file"
    )
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"))
    return parser.parse_args()


def _alike(again: Callable[[str], Outcome], wanted: Outcome, tree: Tree) -> bool:
    found = again(text_of(tree))
    return (found.kind, found.cause) == (wanted.kind, wanted.cause)


def _write(out: Path, seed: int, spec: Tree, outcome: Outcome) -> None:
    """The spec with what came of it as a comment at its top."""
    text = text_of(spec)
    said = f"seed {seed}: {outcome.kind}, {outcome.cause}\n{outcome.detail}"
    head = "".join(f"# {line}\n" for line in said.splitlines()[:12])
    name = "".join(c if c.isalnum() else "_" for c in outcome.cause)[:50]
    path = out / f"{outcome.kind}_{name}_{seed}.yaml"
    path.write_text(head + text, encoding="utf-8")


def table(counts: Counter[tuple[str, str]]) -> str:
    """How many specs came out how, by kind and cause."""
    kinds: Counter[str] = Counter()
    for (kind, _), number in counts.items():
        kinds[kind] += number
    lines = [f"{sum(kinds.values())} specs"]
    for kind, number in sorted(kinds.items()):
        lines.append(f"{number:7} {kind}")
        causes = [(n, cause) for (k, cause), n in counts.items() if k == kind and cause]
        lines += [f"{n:14}   {cause}" for n, cause in sorted(causes, reverse=True)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
