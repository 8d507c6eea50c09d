"""The measurements: `python -m bench` runs all and writes docs/performance.md.

python -m bench --only startup growth     some of them, printed alone
python -m bench --only startup --update   and their sections on the page replaced
python -m bench --rounds 3                fewer rounds
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from bench import against, eager, growth, layout, startup, training
from bench.report import Result, page, replaced
from bench.timing import ROOT

PAGE = ROOT / "docs" / "performance.md"

BENCHMARKS: Mapping[str, tuple[Callable[[int], Result], int]] = {
    "startup": (startup.against_keras, 7),
    "check": (startup.against_imports, 15),
    "growth": (growth.of_layers, 3),
    "copies": (growth.of_copies, 9),
    "eager": (eager.of_generated_code, 21),
    "references": (against.of_references, 11),
    "training": (training.of_steps, 15),
    "diagrams": (layout.of_diagrams, 5),
}
"""Each with its usual number of rounds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page where all was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=[*BENCHMARKS])
    parser.add_argument("--rounds", type=int, help="of each benchmark")
    parser.add_argument("--update", action="store_true", help="write their sections")
    options = parser.parse_args(arguments)
    results = []
    for name in options.only:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        benchmark, rounds = BENCHMARKS[name]
        results.append(benchmark(options.rounds or rounds))
        print(f"{results[-1].markdown()}\n", flush=True)
    if set(options.only) == set(BENCHMARKS):
        PAGE.write_text(page(results), encoding="utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}", file=sys.stderr)
    elif options.update:
        text = PAGE.read_text(encoding="utf-8")
        for result in results:
            text = replaced(text, result)
        PAGE.write_text(text, encoding="utf-8")
    for claim in (claim for one in results for claim in one.claims):
        if not claim.holds:
            print(claim, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
