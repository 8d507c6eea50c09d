"""docs/results.md from the figures of the recipes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.recipes import RECIPES, Recipe
from bench.report import table

_HEAD = """# Results

What the recipes under `recipes/` reach on real data, on two cores and no GPU. `make results` trains all of them
again and writes this page (`make results ARGS="--only cnn"`: one of them). Every figure is of data that was held out
of training, measured by `evaluate` with the run's best weights; minutes are processor time of the whole command
`train`, on one thread (OMP_NUM_THREADS=1). A run's curves and other pictures are in its folder under `build/results/`;
a few of them are shown here.
"""


def page(figures: Mapping[str, Any]) -> str:
    """The whole page."""
    known = {name: one for name, one in RECIPES.items() if name in figures}
    sections = "\n".join(
        _section(name, one, figures[name]) for name, one in known.items()
    )
    newest = max(figures.values(), key=lambda one: str(one["date"]))
    head = f"{_HEAD}\nThe newest figures are of {newest['date']}, on {newest['machine']}.\n"
    return f"{head}\n{_overview(known, figures)}\n{sections}"


def _overview(known: Mapping[str, Recipe], figures: Mapping[str, Any]) -> str:
    header = ["", "bar", "reached", "minutes"]
    rows = []
    for name, recipe in known.items():
        found = figures[name]
        for bound in recipe.bounds:
            reached = bound.reached(found["metrics"])
            if not bound.holds(found["metrics"]):
                reached += " (missed)"
            rows.append([name, str(bound), reached, f"{found['minutes']:.1f}"])
    return "\n".join(table(header, rows)) + "\n"


def _section(name: str, recipe: Recipe, found: Mapping[str, Any]) -> str:
    return "\n".join(_lines(name, recipe, found)) + "\n"


def _lines(name: str, recipe: Recipe, found: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"## {recipe.title}", "", f"    {recipe.command}", "")
    if recipe.note:
        yield from (recipe.note, "")
    metrics = found["metrics"]
    yield from table(
        ["metric", "held out"], [[k, f"{v:.4g}"] for k, v in metrics.items()]
    )
    if recipe.falls:
        first, last = (found[at][recipe.falls] for at in ("first", "last"))
        change = f"from {first:.4g} at the first evaluation to {last:.4g} at the last"
        text = f"`{recipe.falls}` fell {change}; the table is of the best weights."
        yield from ("", text)
    yield from (
        "",
        f"Training took {found['minutes']:.1f} of at most {recipe.minutes:g} minutes.",
    )
    for problem in found["missed"]:
        yield from ("", f"**Missed: {problem}.**")
    for wanted in recipe.pictures:
        kind = "samples" if wanted.startswith("samples") else Path(wanted).stem
        file = f"results/{name}-{kind}.png"
        yield from ("", f"![{kind} of {name}]({file})")
    for text in found["texts"]:
        yield from ("", "```text", *text.strip().splitlines(), "```")
    yield ""
