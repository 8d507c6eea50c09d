"""What is told of a run while it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runtime.data.dataset import Batch
from runtime.engine.train_step import NonFiniteError
from runtime.engine.trainer_state import TrainerState


class Callback:
    """A base that does nothing."""

    def on_train_begin(self, position: TrainerState, notes: Sequence[str]) -> None:
        """The run begins, or goes on from here; what is to be said of that."""

    def on_step_end(self, position: TrainerState, losses: Mapping[str, float]) -> None:
        """A step is done."""

    def on_evaluate(self, position: TrainerState, improved: bool) -> None:
        """An evaluation is done; its row is the last of the metrics."""

    def on_save(self, position: TrainerState) -> None:
        """The state is to be kept."""

    def on_nonfinite(
        self, position: TrainerState, fault: NonFiniteError, batches: Sequence[Batch]
    ) -> None:
        """A network cannot learn from the batches of the next step; raises what says why."""

    def on_train_end(self, position: TrainerState) -> None:
        """There will be no more steps: the run is at its end, or it was stopped, or it failed."""


class CallbackList(Callback):
    """Several as one."""

    def __init__(self, several: Sequence[Callback]) -> None:
        self.several = several

    def on_train_begin(self, position: TrainerState, notes: Sequence[str]) -> None:
        for one in self.several:
            one.on_train_begin(position, notes)

    def on_step_end(self, position: TrainerState, losses: Mapping[str, float]) -> None:
        for one in self.several:
            one.on_step_end(position, losses)

    def on_evaluate(self, position: TrainerState, improved: bool) -> None:
        for one in self.several:
            one.on_evaluate(position, improved)

    def on_save(self, position: TrainerState) -> None:
        for one in self.several:
            one.on_save(position)

    def on_nonfinite(
        self, position: TrainerState, fault: NonFiniteError, batches: Sequence[Batch]
    ) -> None:
        for one in self.several:
            one.on_nonfinite(position, fault, batches)

    def on_train_end(self, position: TrainerState) -> None:
        for one in self.several:
            one.on_train_end(position)
