"""The measurements: `python -m bench` runs all and writes docs/performance.md.

python -m bench --only startup growth     some of them, printed alone
python -m bench --only startup --update   and their sections on the page replaced
python -m bench --rounds 3                fewer rounds

The exit code is 1 where a figure misses its bar.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from bench import (
    against,
    decoding,
    eager,
    evaluating,
    growth,
    keystrokes,
    layout,
    startup,
    streaming,
    training,
)
from bench.report import Benchmark, page, replaced
from bench.timing import ROOT

PAGE = ROOT / "docs" / "performance.md"

BENCHMARKS: Mapping[str, Benchmark] = {
    "startup": startup.AGAINST_KERAS,
    "check": startup.AGAINST_IMPORTS,
    "growth": growth.OF_LAYERS,
    "copies": growth.OF_COPIES,
    "eager": eager.OF_GENERATED_CODE,
    "references": against.OF_REFERENCES,
    "decoding": decoding.BESIDE_TRANSFORMERS,
    "prefixes": decoding.BESIDE_PREFIXES,
    "positions": decoding.BY_POSITION,
    "evaluating": evaluating.FROM_STATES,
    "training": training.OF_STEPS,
    "streaming": streaming.OF_IMAGES,
    "diagrams": layout.OF_DIAGRAMS,
    "lsp": keystrokes.AFTER_A_KEYSTROKE,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page if all was measured; 1 where a figure misses its bar."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=[*BENCHMARKS])
    parser.add_argument("--rounds", type=int, help="number for every benchmark")
    parser.add_argument("--update", action="store_true", help="write their sections")
    options = parser.parse_args(arguments)
    sections: list[str] = []
    missed: list[str] = []
    for name in options.only:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        benchmark = BENCHMARKS[name]
        figures = benchmark.measure(options.rounds or benchmark.rounds)
        sections.append(benchmark.section(figures))
        missed += benchmark.missed(figures)
        print(f"{sections[-1]}\n", flush=True)
    if set(options.only) == set(BENCHMARKS):
        PAGE.write_text(page(sections), encoding="utf-8")
        print(f"written: {PAGE.relative_to(ROOT)}", file=sys.stderr)
    elif options.update:
        text = PAGE.read_text(encoding="utf-8")
        for section in sections:
            text = replaced(text, section)
        PAGE.write_text(text, encoding="utf-8")
    for line in missed:
        print(line, file=sys.stderr)
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
