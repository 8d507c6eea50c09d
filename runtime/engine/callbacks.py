"""Callbacks of training, as in Lightning and transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runtime.data.dataset import Batch
from runtime.engine.train_step import NonFiniteError
from runtime.engine.trainer_state import TrainerState


class Callback:
    """Called during training; this base class does nothing."""

    def on_train_begin(self, state: TrainerState, notes: Sequence[str]) -> None:
        """Called when a run starts or resumes; `notes` say what has changed since it was stopped."""

    def on_step_end(self, state: TrainerState, losses: Mapping[str, float]) -> None:
        """Called after each step, with the mean loss of each updated network."""

    def on_evaluate(self, state: TrainerState, improved: bool) -> None:
        """Called after each evaluation; the last row of `state.metrics` is its result."""

    def on_save(self, state: TrainerState) -> None:
        """Called when the run is to be saved."""

    def on_nonfinite(
        self, state: TrainerState, error: NonFiniteError, batches: Sequence[Batch]
    ) -> None:
        """Called when a loss or gradient of the next step is NaN or infinite; may raise an error that explains it."""

    def on_train_end(self, state: TrainerState) -> None:
        """Called once after the last step, also if training was stopped or failed."""


class CallbackList(Callback):
    """Calls several callbacks in order."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self.callbacks = callbacks

    def on_train_begin(self, state: TrainerState, notes: Sequence[str]) -> None:
        for callback in self.callbacks:
            callback.on_train_begin(state, notes)

    def on_step_end(self, state: TrainerState, losses: Mapping[str, float]) -> None:
        for callback in self.callbacks:
            callback.on_step_end(state, losses)

    def on_evaluate(self, state: TrainerState, improved: bool) -> None:
        for callback in self.callbacks:
            callback.on_evaluate(state, improved)

    def on_save(self, state: TrainerState) -> None:
        for callback in self.callbacks:
            callback.on_save(state)

    def on_nonfinite(
        self, state: TrainerState, error: NonFiniteError, batches: Sequence[Batch]
    ) -> None:
        for callback in self.callbacks:
            callback.on_nonfinite(state, error, batches)

    def on_train_end(self, state: TrainerState) -> None:
        for callback in self.callbacks:
            callback.on_train_end(state)
