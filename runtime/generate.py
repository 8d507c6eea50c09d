"""What the networks of a run make of nothing, or of a prompt: text, a translation, or images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import torch

from compiler.diagnostics.diagnostic import RequestError
from runtime.decode import Sampling
from runtime.open_run import LoadedRun


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Attributes:
        prompt: what a text begins with, or is to be translated.
        beam: hypotheses that are kept; None where tokens are drawn.
        sampling: those settings of `Sampling` that are given.
    """

    prompt: str = ""
    beam: int | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)


def generate(run: LoadedRun, wish: Wish) -> str | bytes:
    """A text, or a PNG.

    Raises:
        RequestError: where the task generates nothing, or nothing like that.
    """
    make = _MAKERS.get(run.task.kind)
    if make is None:
        raise RequestError(f"a network for {run.task.kind} generates nothing")
    return make(run, wish)


def _text(run: LoadedRun, wish: Wish) -> str:
    from runtime.tasks.language_model import LanguageModelLearner

    drawn = wish.sampling.keys() - {"tokens"}
    if wish.beam is not None and drawn:
        message = f"a beam finds the most probable text, and has no {_listed(drawn)}"
        raise RequestError(message)
    learner = cast("LanguageModelLearner", run.learner)
    return learner.generate(wish.prompt, Sampling(**wish.sampling), wish.beam)


def _translation(run: LoadedRun, wish: Wish) -> str:
    drawn = wish.sampling.keys() - {"tokens"}
    if not wish.prompt or drawn:
        wrong = f"has no {_listed(drawn)}" if drawn else "needs a prompt"
        raise RequestError(f"a translation {wrong}")
    changes = {"beam": wish.beam, "most": wish.sampling.get("tokens")}
    given = {name: value for name, value in changes.items() if value is not None}
    learner, decoding = run.learner, run.learner.task.decoding
    changed = {"decoding": decoding.model_copy(update=given)}
    learner.task = learner.task.model_copy(update=changed)
    with torch.no_grad():
        (found,) = learner.predict([wish.prompt])
    return str(found["translation"])


def _images(run: LoadedRun, wish: Wish) -> bytes:
    from runtime.plots.image_grid import grid_png
    from runtime.tasks.adversarial import AdversarialLearner

    others = wish.sampling.keys() - {"seed"}
    if wish.prompt or wish.beam is not None or others:
        raise RequestError("images take no settings but a seed")
    learner = cast("AdversarialLearner", run.learner)
    torch.manual_seed(wish.sampling.get("seed", 0))
    with torch.no_grad(), learner.eval_weights():
        images, _ = learner.generated(learner.task.samples)
    return grid_png(images, learner.columns, learner.metadata.get("range", "0..1"))


def _listed(settings: set[str]) -> str:
    return ", ".join(sorted(name.replace("_", "-") for name in settings))


_MAKERS: Final[Mapping[str, Callable[[LoadedRun, Wish], str | bytes]]] = {
    "language_model": _text,
    "translation": _translation,
    "adversarial": _images,
}
