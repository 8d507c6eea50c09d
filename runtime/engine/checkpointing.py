"""Keeps a run in its folder: state, weights, tables, samples and pictures, as it goes on."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from runtime.data.dataset import Batch
from runtime.engine.callbacks import Callback
from runtime.engine.checkpoint_file import checkpoint_bytes, weights_bytes
from runtime.engine.evaluation import evaluation_mode
from runtime.engine.find_nonfinite import TrainingError, check_weights, explain
from runtime.engine.run_folder import BEST, LAST, STATE, RunFolder, as_json
from runtime.engine.session import Session
from runtime.engine.signals import Stopped
from runtime.engine.train_step import NonFiniteError
from runtime.engine.trainer_state import Row, TrainerState, label
from runtime.plots.curves import curves_png

DRAW_EVERY: Final = 10.0
"""Seconds between two drawings of the pictures, at least: epochs may be shorter than these take."""


class Checkpointer(Callback):
    """Writes what a run leaves behind, in the first of its processes.

    Attributes:
        about: what `run.json` says besides how far the run is.
        kept: the step that the state in the folder is of.
    """

    def __init__(
        self, session: Session, folder: RunFolder, digest: str, about: dict[str, Any]
    ) -> None:
        self.session, self.folder = session, folder
        self.digest, self.about = digest, about
        self.kept: int | None = None
        self._drawn = -DRAW_EVERY

    def on_evaluate(self, position: TrainerState, improved: bool) -> None:
        """Samples; where the weights are the best so far, these too."""
        check_weights(self.session, position)
        learner = self.session.learner
        with evaluation_mode(self.session):
            samples = learner.samples(self.session.held_out(), position.epoch)
        files: dict[str, bytes | str] = {f"samples/{k}": v for k, v in samples.items()}
        if improved:
            with learner.eval_weights():
                files[BEST] = weights_bytes(self.session.modules)
        self._write(files)

    def on_save(self, position: TrainerState) -> None:
        """Last weights, tables, pictures and state, all of one moment."""
        check_weights(self.session, position)
        # The state comes last: where it stands, all that it tells of is there too.
        files: dict[str, bytes | str] = {
            LAST: weights_bytes(self.session.modules),
            "steps.csv": as_csv(position.steps),
            "metrics.csv": as_csv(position.metrics),
            **self._pictures(position, position.done),
            "run.json": as_json(self.described(position)),
            STATE: checkpoint_bytes(self.session, position, self.digest),
        }
        self._write(files)
        self.kept = position.step

    def on_nonfinite(
        self, position: TrainerState, fault: NonFiniteError, batches: Sequence[Batch]
    ) -> None:
        """Say what is wrong.

        Raises:
            TrainingError: which names the layer.
        """
        where = f"in step {position.step + 1} (epoch {position.epoch + 1})"
        why = explain(self.session, position, fault, batches)
        message = f"{where} {fault.what(label(fault.network, 'loss'))}: {why}"
        raise TrainingError(f"{message}; {self.remains()}")

    def ended(self, position: TrainerState, error: BaseException) -> None:
        """Say in `run.json` how the run ended before its end."""
        stopped = isinstance(error, Stopped | KeyboardInterrupt)
        about = self.described(position, "stopped" if stopped else "failed")
        about["reason"] = str(error) or type(error).__name__
        with suppress(OSError):
            self._write(
                {"run.json": as_json(about), **self._pictures(position, stopped)}
            )

    def remains(self) -> str:
        """What there is to go on with."""
        if self.kept is None:
            return "nothing was kept yet"
        return (
            f"the run is kept as of step {self.kept}, and --resume goes on from there"
        )

    def described(self, position: TrainerState, status: str = "") -> dict[str, Any]:
        """What `runs` shows."""
        task = self.session.task
        return {
            **self.about,
            "status": status or ("finished" if position.done else "running"),
            "changed": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "epoch": position.epoch,
            "epochs": task.epochs,
            "step": position.step,
            "seconds": round(position.seconds, 1),
            "metric": task.metric,
            "best": position.best,
            "best_epoch": position.best_epoch,
        }

    def _pictures(self, position: TrainerState, now: bool) -> dict[str, bytes]:
        """The pictures of the run, where they are due."""
        if not now and time.monotonic() < self._drawn + DRAW_EVERY:
            return {}
        curves = curves_png(position.steps, position.metrics)
        pictures = {"curves.png": curves, **self.session.learner.plots()}
        self._drawn = time.monotonic()
        return pictures

    def _write(self, files: Mapping[str, bytes | str]) -> None:
        if self.session.fabric.is_global_zero:
            self.folder.write(files)


def as_csv(rows: Sequence[Row]) -> str:
    """Rows as a table, with all the columns that any of them has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
