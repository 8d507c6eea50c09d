"""What is told of a run while it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runtime.data.dataset import Batch
from runtime.engine.position import Position
from runtime.engine.steps import NotFinite


class Watcher:
    """A base that does nothing."""

    def on_start(self, position: Position, notes: Sequence[str]) -> None:
        """The run begins, or goes on from here; what is to be said of that."""

    def on_step(self, position: Position, losses: Mapping[str, float]) -> None:
        """A step is done."""

    def on_evaluation(self, position: Position, improved: bool) -> None:
        """An evaluation is done; its row is the last of the metrics."""

    def on_save(self, position: Position) -> None:
        """The state is to be kept."""

    def on_fault(
        self, position: Position, fault: NotFinite, batches: Sequence[Batch]
    ) -> None:
        """A network cannot learn from the batches of the next step; raises what says why."""

    def on_end(self, position: Position) -> None:
        """There will be no more steps: the run is at its end, or it was stopped, or it failed."""


class Watchers(Watcher):
    """Several as one."""

    def __init__(self, several: Sequence[Watcher]) -> None:
        self.several = several

    def on_start(self, position: Position, notes: Sequence[str]) -> None:
        for one in self.several:
            one.on_start(position, notes)

    def on_step(self, position: Position, losses: Mapping[str, float]) -> None:
        for one in self.several:
            one.on_step(position, losses)

    def on_evaluation(self, position: Position, improved: bool) -> None:
        for one in self.several:
            one.on_evaluation(position, improved)

    def on_save(self, position: Position) -> None:
        for one in self.several:
            one.on_save(position)

    def on_fault(
        self, position: Position, fault: NotFinite, batches: Sequence[Batch]
    ) -> None:
        for one in self.several:
            one.on_fault(position, fault, batches)

    def on_end(self, position: Position) -> None:
        for one in self.several:
            one.on_end(position)
