"""Trains the recipes and writes docs/results.md: `python -m bench.results`.

python -m bench.results --only cnn rnn     some of them; the others keep their figures
python -m bench.results --page             the page alone, from figures that are there

Figures are kept in docs/results/figures.json, a few pictures beside it; the runs with all
of theirs are in build/results/.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from bench.recipes import RECIPES, Recipe
from bench.report import date, machine
from bench.results_page import page
from bench.timing import REFERENCE, ROOT, python
from bench.uses import with_uses

FOLDER = ROOT / "docs" / "results"
RUNS = ROOT / "build" / "results"
LARGEST = 30_000
"""Maximum number of bytes of a picture on the page."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is asked for, and write the page; 1 where a bar was missed."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.results", description=__doc__
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", choices=RECIPES, default=[*RECIPES])
    parser.add_argument("--page", action="store_true", help="train nothing")
    options = parser.parse_args(arguments)
    figures = _figures()
    for name in () if options.page else options.only:
        print(f"training: {name}", file=sys.stderr, flush=True)
        found = measured(name, RECIPES[name])
        figures = {**_figures(), name: found}  # another process may have added some
        _write(figures)
    (ROOT / "docs" / "results.md").write_text(page(figures), encoding="utf-8")
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(with_uses(text, figures), encoding="utf-8")
    return int(any(one.get("missed") for one in figures.values()))


def measured(name: str, recipe: Recipe) -> dict[str, Any]:
    """Train a recipe in processes of its own; its figures. What the page shows is copied."""
    run = RUNS / f"{name}-{time.time():.0f}"
    run_cli = partial(_cli, recipe.packages)
    begun = _processor_seconds()
    run_cli("train", recipe.file, "--run", str(run), *_options(recipe))
    minutes = (_processor_seconds() - begun) / 60
    found = json.loads(run_cli("evaluate", str(run), "--json"))
    before = _figures()
    for metric, (other, theirs) in recipe.beside.items():
        found[metric] = before[other]["metrics"][theirs]
    rows = list(csv.DictReader((run / "metrics.csv").open(encoding="utf-8")))
    _pictures(name, recipe, run)
    given = {"generate": recipe.generate, "predict": recipe.predict}
    texts = [
        run_cli(name, str(run), *options) for name, options in given.items() if options
    ]
    return {
        "date": date(),
        "machine": machine(),
        "minutes": round(minutes, 2),
        "metrics": found,
        "first": {key: float(value) for key, value in rows[0].items() if value},
        "last": {key: float(value) for key, value in rows[-1].items() if value},
        "texts": texts,
        "missed": missed(recipe, found, minutes, rows),
    }


def _processor_seconds() -> float:
    """The processor time of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def missed(
    recipe: Recipe,
    found: Mapping[str, float],
    minutes: float,
    rows: Sequence[Mapping[str, str]],
) -> list[str]:
    """The bars that were not reached, in words."""
    wrong = [str(one) for one in recipe.bounds if not one.holds(found)]
    if minutes > recipe.minutes:
        wrong.append(f"{minutes:.1f} minutes of {recipe.minutes:g}")
    name = recipe.falls
    if name and float(rows[-1][name]) >= float(rows[0][name]):
        wrong.append(f"{name} does not fall")
    return wrong


def _options(recipe: Recipe) -> list[str]:
    return [part for one in recipe.sets for part in ("--set", one)]


def _cli(packages: bool, *arguments: str) -> str:
    """The output of a command, which may see the packages beside the environment."""
    done = subprocess.run(
        python("cli.py", *arguments),
        cwd=ROOT,
        env={**os.environ, **({"PYTHONPATH": str(REFERENCE)} if packages else {})},
        check=True,
        stdout=subprocess.PIPE,
    )
    return done.stdout.decode()


def _pictures(name: str, recipe: Recipe, run: Path) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for wanted in recipe.pictures:
        found = sorted(run.glob(wanted))
        kind = "samples" if wanted.startswith("samples") else Path(wanted).stem
        (FOLDER / f"{name}-{kind}.png").write_bytes(_with_few_colours(found[-1]))


def _with_few_colours(picture: Path) -> bytes:
    """A picture of at most `LARGEST` bytes, or of four colours: most look no different in 32, a quarter of the size."""
    with Image.open(picture) as image:
        rgb = image.convert("RGB")
    for colours in (32, 24, 16, 8, 4):
        packed = BytesIO()
        few = rgb.quantize(colours, dither=Image.Dither.NONE)
        few.save(packed, "PNG", optimize=True)
        if len(packed.getvalue()) <= LARGEST:
            break
    return packed.getvalue()


def _figures() -> dict[str, Any]:
    file = FOLDER / "figures.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _write(figures: Mapping[str, Any]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    ordered = {name: figures[name] for name in RECIPES if name in figures}
    text = partial(json.dumps, separators=(",", ":"))
    lines = (f"{text(name)}:{text(ordered[name])}" for name in ordered)
    (FOLDER / "figures.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    sys.exit(main())
