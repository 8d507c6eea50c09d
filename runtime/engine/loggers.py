"""Loggers besides the CSV tables in a run's folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from compiler.diagnostics.diagnostic import RequestError, suggest
from runtime.engine.callbacks import Callback
from runtime.engine.run_folder import RunFolder
from runtime.engine.trainer_state import LogRow, TrainerState

if TYPE_CHECKING:
    from lightning_fabric.loggers.tensorboard import TensorBoardLogger

EVENTS: Final = "tensorboard"
"""Name of the folder of TensorBoard events in a run's folder."""


class TensorBoardCallback(Callback):
    """Logs for TensorBoard: `train/` by step, `held_out/` after each evaluation."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._logger: TensorBoardLogger | None = None

    def on_train_begin(self, state: TrainerState, notes: Sequence[str]) -> None:
        """Open a log; events of steps after a resumed state are purged."""
        from lightning_fabric.loggers.tensorboard import TensorBoardLogger

        if not state.done:
            self._logger = TensorBoardLogger(
                self._folder.path,
                name="",
                version=EVENTS,
                purge_step=state.step + 1,
            )

    def on_step_end(self, state: TrainerState, losses: Mapping[str, float]) -> None:
        """Log the row of this step, if it has one."""
        if state.steps and state.steps[-1]["step"] == state.step:
            self._log("train", state.steps[-1])

    def on_evaluate(self, state: TrainerState, improved: bool) -> None:
        """Log the metrics."""
        self._log("held_out", state.metrics[-1])

    def on_train_end(self, state: TrainerState) -> None:
        """Close the log."""
        if self._logger:
            self._logger.finalize("success")

    def _log(self, group: str, row: LogRow) -> None:
        if self._logger:
            metrics = {
                f"{group}/{name}": value
                for name, value in row.items()
                if name not in ("step", "epoch", "seconds")
                and not name.startswith("train.")
            }
            self._logger.log_metrics(metrics, int(row["step"]))


LOGGERS: Final[Mapping[str, Callable[[RunFolder], Callback]]] = {
    "csv": lambda folder: Callback(),  # every run has the CSV tables
    "tensorboard": TensorBoardCallback,
}


def make_logger(name: str, folder: RunFolder) -> Callback:
    """The logger with a name.

    Raises:
        RequestError: if there is none.
    """
    if name not in LOGGERS:
        help = suggest(name, LOGGERS) or f"choose {' or '.join(LOGGERS)}"
        raise RequestError(f"there is no logger {name}: {help}")
    return LOGGERS[name](folder)
