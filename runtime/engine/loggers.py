"""What else is told of a run besides the tables in its folder, when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from compiler.diagnostics.diagnostic import RequestError, suggest
from runtime.engine.callbacks import Callback
from runtime.engine.run_folder import RunFolder
from runtime.engine.trainer_state import Row, TrainerState

if TYPE_CHECKING:
    from lightning_fabric.loggers.tensorboard import TensorBoardLogger

EVENTS: Final = "tensorboard"
"""The folder of TensorBoard's events in a run's."""


class TensorBoardCallback(Callback):
    """Events for TensorBoard: `train/` step by step, `held_out/` after each evaluation."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._logger: TensorBoardLogger | None = None

    def on_train_begin(self, position: TrainerState, notes: Sequence[str]) -> None:
        """Begin a file; what an earlier part of the run told of later steps is taken back."""
        from lightning_fabric.loggers.tensorboard import TensorBoardLogger

        if not position.done:
            self._logger = TensorBoardLogger(
                self._folder.path,
                name="",
                version=EVENTS,
                purge_step=position.step + 1,
            )

    def on_step_end(self, position: TrainerState, losses: Mapping[str, float]) -> None:
        """Tell of a row of the steps."""
        if position.steps and position.steps[-1]["step"] == position.step:
            self._log("train", position.steps[-1])

    def on_evaluate(self, position: TrainerState, improved: bool) -> None:
        """Tell of the metrics."""
        self._log("held_out", position.metrics[-1])

    def on_train_end(self, position: TrainerState) -> None:
        """Close the file."""
        if self._logger:
            self._logger.finalize("success")

    def _log(self, group: str, row: Row) -> None:
        if self._logger:
            told = {
                f"{group}/{name}": value
                for name, value in row.items()
                if name not in ("step", "epoch", "seconds")
                and not name.startswith("train.")
            }
            self._logger.log_metrics(told, int(row["step"]))


LOGGERS: Final[Mapping[str, Callable[[RunFolder], Callback]]] = {
    "csv": lambda folder: Callback(),  # the tables are there in any case
    "tensorboard": TensorBoardCallback,
}


def logger(name: str, folder: RunFolder) -> Callback:
    """The logger of a name.

    Raises:
        RequestError: where there is none.
    """
    if name not in LOGGERS:
        help = suggest(name, LOGGERS) or f"there are {' and '.join(LOGGERS)}"
        raise RequestError(f"there is no logger {name}: {help}")
    return LOGGERS[name](folder)
