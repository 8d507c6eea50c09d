import json
import re

import pytest

from bench.recipes import RECIPES, Bound, Recipe
from bench.results import FOLDER, missed
from bench.results_page import page
from bench.timing import ROOT
from bench.uses import with_uses
from compiler.diagnostics.limits import Limits
from layergraph.overrides import compile_chosen


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_recipe_has_a_task(recipe: Recipe) -> None:
    file = ROOT / recipe.file
    program = compile_chosen(file, "", recipe.sets, limits=Limits())
    assert program.task is not None


def test_bars_that_are_missed_are_told() -> None:
    bounds = [Bound("mae", "<", "mae.last"), Bound("mae", "<", 0.1)]
    recipe = Recipe("T", "t.yaml", 2, bounds, falls="loss")
    rows = [{"loss": "2"}, {"loss": "3"}]
    found = missed(recipe, {"mae": 0.5, "mae.last": 1.0}, 3.04, rows)
    assert found == ["mae < 0.1", "3.0 minutes of 2", "loss does not fall"]


def test_the_page_shows_a_bar_that_is_missed() -> None:
    figures = {
        "cnn": {
            "date": "2026-11-25",
            "machine": "2 cores",
            "minutes": 1.0,
            "metrics": {"loss": 0.1, "accuracy": 0.5},
            "first": {},
            "last": {},
            "texts": [],
            "missed": ["accuracy >= 0.99"],
        }
    }
    shown = page(figures)
    assert "| accuracy >= 0.99 | 0.5 (missed) |" in shown
    assert "**Missed: accuracy >= 0.99.**" in shown
    assert "layergraph train recipes/cnn_digits.yaml" in shown
    assert "figures are of 2026-11-25, on 2 cores." in shown
    assert "![confusion of cnn](results/cnn-confusion.png)" in shown


def test_the_page_is_that_of_the_figures() -> None:
    figures = json.loads((FOLDER / "figures.json").read_text())
    assert (ROOT / "docs/results.md").read_text() == page(figures)
    shown = {path.name for path in FOLDER.glob("*.png")}
    assert shown == set(re.findall(r"results/(\S+\.png)", page(figures)))


def test_the_uses_of_the_readme_are_those_of_the_figures() -> None:
    figures = json.loads((FOLDER / "figures.json").read_text())
    readme = (ROOT / "README.md").read_text()
    assert readme == with_uses(readme, figures)
    assert (
        "| translation | `layergraph train recipes/transformer_verses.yaml` |" in readme
    )
