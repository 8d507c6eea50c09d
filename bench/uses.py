"""The table of uses in README.md: use, command, figure; written by `python -m bench.results`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bench.recipes import RECIPES, Recipe

_START, _END = "<!-- uses -->", "<!-- end of uses -->"
USES: Final[Mapping[str, str]] = {
    "images to classes": "cnn-mnist",
    "videos to classes": "video",
    "images to masks": "unet",
    "images to boxes": "detection",
    "next letters of a text": "rnn",
    "translation": "transformer-verses",
    "translation, recurrent": "encoder_decoder-verses",
    "speech to text": "speech",
    "series": "co2",
    "several series, with quantiles": "monthly",
    "made images": "gan",
    "made images from captions": "text-to-image",
    "made audio": "wavegan",
    "music": "tunes",
    "texts to classes": "minilm",
    "questions on passages": "questions-worlds",
    "questions, answered freely": "answers",
    "dialogue": "dialogues",
    "words to tags": "punctuation",
    "masked words": "masked",
    "tables to classes": "breast_cancer",
    "tables to numbers": "diabetes",
    "images to labels and numbers": "digit_rows",
    "images and texts": "clip",
}
"""What people come for, and the recipe that shows it, in the order of the table."""


def with_uses(readme: str, figures: Mapping[str, Any]) -> str:
    """README.md with the table of the uses that were measured."""
    before, _, rest = readme.partition(_START)
    _, _, after = rest.partition(_END)
    head = "| use | command | on data held out |\n|---|---|---|\n"
    lines = head + "\n".join(_rows(figures))
    return f"{before}{_START}\n{lines}\n{_END}{after}"


def _rows(figures: Mapping[str, Any]) -> Iterator[str]:
    for use, name in USES.items():
        if name in figures:
            recipe, metrics = RECIPES[name], figures[name]["metrics"]
            yield f"| {use} | `{recipe.command}` | {_reached(recipe, metrics)} |"


def _reached(recipe: Recipe, metrics: Mapping[str, float]) -> str:
    """The first metric that has a bar, and what baselines have of it."""
    metric = recipe.bounds[0].metric
    bars = [one.bar for one in recipe.bounds if one.metric == metric]
    baselines = [
        f"{bar.rpartition('.')[2].replace('_', ' ')} {metrics[bar]:.3g}"
        for bar in bars
        if isinstance(bar, str)
    ]
    beside = f" ({', '.join(baselines)})" if baselines else ""
    return f"{metric.replace('_', ' ')} {metrics[metric]:.3g}{beside}"
