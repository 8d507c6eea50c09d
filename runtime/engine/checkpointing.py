"""Write a run to its folder during training: checkpoint, weights, tables, samples and plots."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from runtime.data.dataset import Batch
from runtime.engine.callbacks import Callback
from runtime.engine.checkpoint_file import checkpoint_bytes, weights_bytes
from runtime.engine.evaluation import evaluation_mode
from runtime.engine.find_nonfinite import TrainingError, check_weights, explain
from runtime.engine.run_folder import BEST, LAST, STATE, RunFolder, as_csv, as_json
from runtime.engine.session import Session
from runtime.engine.signals import Stopped
from runtime.engine.train_step import NonFiniteError
from runtime.engine.trainer_state import TrainerState, column_name
from runtime.plots.curves import curves_png

PLOT_EVERY: Final = 10.0
"""Minimum number of seconds between two plots: drawing may take longer than an epoch."""


class Checkpointer(Callback):
    """Writes a run to its folder; only the first process writes.

    Args:
        session: networks, optimizers and learner.
        folder: the run's folder.
        digest: hash of the generated module, for `state.pt`.
        start_info: what `run.json` says of the run's start.

    Attributes:
        saved_step: step of the checkpoint in the folder; None if there is none.
    """

    def __init__(
        self,
        session: Session,
        folder: RunFolder,
        digest: str,
        start_info: dict[str, Any],
    ) -> None:
        self.session, self.folder = session, folder
        self.digest, self.start_info = digest, start_info
        self.saved_step: int | None = None
        self._plotted = -PLOT_EVERY

    def on_evaluate(self, state: TrainerState, improved: bool) -> None:
        """Write samples, and the best weights if the metric improved."""
        check_weights(self.session, state)
        learner = self.session.learner
        files: dict[str, bytes | str] = {}
        if self.session.holds_out:
            with evaluation_mode(self.session):
                samples = learner.samples(self.session.held_out(), state.epoch)
            files |= {f"samples/{name}": content for name, content in samples.items()}
        if improved:
            with self.session.average.applied():
                files[BEST] = weights_bytes(self.session.modules)
        self._write(files)

    def on_save(self, state: TrainerState) -> None:
        """Write the last weights, tables, plots and the checkpoint, all of the same step."""
        check_weights(self.session, state)
        # The checkpoint is last: when it exists, so do the files that go with it.
        files: dict[str, bytes | str] = {
            LAST: weights_bytes(self.session.modules),
            "steps.csv": as_csv(state.steps),
            "metrics.csv": as_csv(state.metrics),
            **self._plots(state, state.done),
            **self._tables(),
            "run.json": as_json(self.run_info(state)),
            STATE: checkpoint_bytes(self.session, state, self.digest),
        }
        self._write(files)
        self.saved_step = state.step

    def on_nonfinite(
        self, state: TrainerState, error: NonFiniteError, batches: Sequence[Batch]
    ) -> None:
        """Explain where NaN or infinity came from.

        Raises:
            TrainingError: always; it names the layer.
        """
        where = f"in step {state.step + 1} (epoch {state.epoch + 1})"
        what = error.describe(column_name(error.network, "loss"))
        why = explain(self.session, state, error, batches)
        raise TrainingError(f"{where} {what}: {why}; {self.resume_hint()}")

    def record_failure(self, state: TrainerState, error: BaseException) -> None:
        """Write to `run.json` why the run was stopped or failed."""
        stopped = isinstance(error, Stopped | KeyboardInterrupt)
        info = self.run_info(state, "stopped" if stopped else "failed")
        info["reason"] = str(error) or type(error).__name__
        with suppress(OSError):
            self._write({"run.json": as_json(info), **self._plots(state, stopped)})

    def resume_hint(self) -> str:
        """From which step the run can be resumed."""
        if self.saved_step is None:
            return "the run was not saved yet"
        return f"the run is saved as of step {self.saved_step}; --resume continues it"

    def run_info(self, state: TrainerState, status: str = "") -> dict[str, Any]:
        """The content of `run.json`."""
        task = self.session.task
        return {
            **self.start_info,
            "status": status or ("finished" if state.done else "running"),
            "changed": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "epoch": state.epoch,
            "epochs": task.epochs,
            "step": state.step,
            "seconds": round(state.seconds, 1),
            "metric": task.best_metric[0],
            "best": state.best,
            "best_epoch": state.best_epoch,
        }

    def _plots(self, state: TrainerState, force: bool) -> dict[str, bytes]:
        """The plots of the run; none if the last ones are recent and they are not forced."""
        if not force and time.monotonic() < self._plotted + PLOT_EVERY:
            return {}
        curves = curves_png(state.steps, state.metrics)
        plots = {"curves.png": curves, **self.session.learner.plots()}
        self._plotted = time.monotonic()
        return plots

    def _tables(self) -> dict[str, bytes | str]:
        tables = self.session.learner.tables()
        return {f"{name}.csv": as_csv(rows) for name, rows in tables.items()}

    def _write(self, files: Mapping[str, bytes | str]) -> None:
        if self.session.fabric.is_global_zero:
            self.folder.write(files)
