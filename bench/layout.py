"""How long a diagram takes: to be drawn as DOT, and to be laid out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from bench.flat import flat
from bench.report import Bar, Benchmark, Figures, seconds
from bench.timing import ROOT, alternate, measured
from compiler import UNLIMITED, compile_spec
from compiler.diagram.dot import to_dot
from compiler.diagram.draw import draw
from compiler.diagram.layout_engine import render_dot
from compiler.ir.typed import TypedGraph

_LIMIT = 5.0


def _measure(rounds: int) -> Figures:
    """The diagrams of specs, and of flat networks, which fold."""
    rows, layouts = [], []
    for name, typed in _graphs().items():
        dot = to_dot(draw(typed))
        jobs = {
            "draw": lambda typed=typed: measured(lambda: to_dot(draw(typed))),
            "layout": lambda dot=dot: measured(
                lambda: render_dot(dot, "svg", timeout=10 * _LIMIT)
            ),
        }
        found = alternate(jobs, rounds)
        drawn, laid = found["draw"].wall, found["layout"].wall
        rows.append([name, str(dot.count(" -> ")), seconds(drawn), seconds(laid)])
        layouts.append(laid)
    return Figures(rows, {"slowest": max(layouts)})


def _graphs() -> dict[str, TypedGraph]:
    found = {
        name: compile_spec(ROOT / "specs" / f"{name}.yaml").typed
        for name in ("gpt2", "resnet50", "transformer")
    }
    with tempfile.TemporaryDirectory() as folder:
        for size in (100, 1_000, 10_000):
            file = Path(folder, f"flat_{size}.yaml")
            file.write_text(flat(size), encoding="utf-8")
            found[f"flat, {size:,} layers"] = compile_spec(file, limits=UNLIMITED).typed
    return found


OF_DIAGRAMS: Final = Benchmark(
    title="Diagrams",
    method="""\
What `build` draws: blocks and repeats fold until the picture fits a page, and of a long flat network the ends are
drawn. The layout is a process of the Graphviz in the wheel, with a timeout. Times by the clock.""",
    header=["network", "arrows", "drawn as DOT", "laid out (process)"],
    bars={"slowest": Bar("the slowest layout", most=_LIMIT, unit=" s")},
    measure=_measure,
    rounds=5,
)
