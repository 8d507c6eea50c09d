"""The kinds of tasks: one file each under `compiler/training/tasks`."""

from __future__ import annotations

from typing import Final

from compiler.training.task import Task
from compiler.training.tasks.adversarial import Adversarial
from compiler.training.tasks.classification import Classification
from compiler.training.tasks.forecasting import Forecasting
from compiler.training.tasks.language_model import LanguageModel
from compiler.training.tasks.reconstruction import Reconstruction
from compiler.training.tasks.translation import Translation

KINDS: Final[dict[str, type[Task]]] = {
    "adversarial": Adversarial,
    "classification": Classification,
    "forecasting": Forecasting,
    "language_model": LanguageModel,
    "reconstruction": Reconstruction,
    "translation": Translation,
}
