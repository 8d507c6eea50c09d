"""Set a learner up for data, with the trained metrics that its run has stored."""

from __future__ import annotations

from typing import Any

from compiler.diagnostics.diagnostic import DataError
from runtime.data.dataset import DataSplits
from runtime.engine.read_tensors import read_tensors
from runtime.engine.run_folder import EVALUATOR, RunFolder
from runtime.tasks.learner import Learner


def set_up_learner(learner: Learner[Any], data: DataSplits, folder: RunFolder) -> None:
    """Call `Learner.setup`, with the evaluator state of the run if it has one.

    Raises:
        DataError: if the state is damaged.
        SpecError: as `Learner.setup`.
    """
    file = folder.path / EVALUATOR
    if not file.exists():
        learner.setup(data)
        return
    try:
        learner.load_evaluator_state(read_tensors(file))
        learner.setup(data)
    except (KeyError, RuntimeError, ValueError) as error:
        message = f"{file} is damaged: {type(error).__name__}: {error}"
        raise DataError(message) from None
