"""How long a diagram takes: to be drawn as DOT, and to be laid out."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.flat import flat
from bench.report import Claim, Result, seconds
from bench.timing import ROOT, alternate, measured
from compiler import UNLIMITED, compile_spec
from compiler.diagram.dot import to_dot
from compiler.diagram.draw import draw
from compiler.diagram.layout_engine import render_dot
from compiler.ir.typed import TypedGraph

_LIMIT = 5.0


def of_diagrams(rounds: int) -> Result:
    """The diagrams of specs, and of flat networks, which fold."""
    rows, claims = [], []
    for name, typed in _graphs().items():
        dot = to_dot(draw(typed))
        jobs = {
            "draw": lambda typed=typed: measured(lambda: to_dot(draw(typed))),
            "layout": lambda dot=dot: measured(
                lambda: render_dot(dot, "svg", timeout=_LIMIT)
            ),
        }
        found = alternate(jobs, rounds)
        drawn, laid = found["draw"].wall, found["layout"].wall
        edges = dot.count(" -> ")
        rows.append([name, str(edges), seconds(drawn), seconds(laid)])
        text = f"{name} is laid out within {_LIMIT:g} s"
        claims.append(Claim(text, seconds(laid), laid < _LIMIT))
    header = ["network", "arrows", "drawn as DOT", "laid out (process)"]
    return Result("Diagrams", _METHOD, header, rows, claims)


_METHOD = """\
What `build` draws: blocks and repeats fold until the picture fits a page, and of a long flat network the ends are
drawn. The layout is a process of the Graphviz in the wheel, with a timeout."""


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
