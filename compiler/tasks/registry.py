"""The kinds of tasks: one file each under `compiler/tasks/kinds`."""

from __future__ import annotations

from typing import Final

from compiler.tasks.kinds.adversarial import Adversarial
from compiler.tasks.kinds.classification import Classification
from compiler.tasks.kinds.forecasting import Forecasting
from compiler.tasks.kinds.language_model import LanguageModel
from compiler.tasks.kinds.reconstruction import Reconstruction
from compiler.tasks.kinds.translation import Translation
from compiler.tasks.task import Task

KINDS: Final[dict[str, type[Task]]] = {
    "adversarial": Adversarial,
    "classification": Classification,
    "forecasting": Forecasting,
    "language_model": LanguageModel,
    "reconstruction": Reconstruction,
    "translation": Translation,
}
