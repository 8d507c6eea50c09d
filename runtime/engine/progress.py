"""What a run says while it goes on: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from rich.console import Console

from runtime.engine.callbacks import Callback
from runtime.engine.loop import over
from runtime.engine.run_folder import BEST
from runtime.engine.session import Session
from runtime.engine.trainer_state import TrainerState, label

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

LINE_EVERY: Final = 30.0
"""Seconds between two lines, where no evaluation gives one."""
BAR_EVERY: Final = 0.1
"""Seconds between two looks of the bar."""
RATE_AFTER: Final = 0.1
"""Seconds of steps that tell how fast a run is."""


class ProgressCallback(Callback):
    """Tells of a run on standard error, in the first of its processes."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._console = Console(stderr=True, quiet=not session.fabric.is_global_zero)
        self._bar = bar(self._console) if self._console.is_terminal else None
        self._every = BAR_EVERY if self._bar else LINE_EVERY
        self._next = time.perf_counter() + self._every
        self._begun = (0, 0.0)

    def on_train_begin(self, position: TrainerState, notes: Sequence[str]) -> None:
        """Say where a run goes on, and with what changes."""
        if position.done:
            self._say(f"the run has finished: {over(self.session, position)}")
            return
        if position.step:
            epoch, step = position.epoch + 1, position.step
            self._say(f"goes on in epoch {epoch}, after step {step}")
        for note in notes:
            self._say(note)
        self._begun = (position.step, position.seconds)
        if self._bar:
            self._bar.add_task(
                "", told="", total=self.session.total, completed=position.step
            )
            self._bar.start()

    def on_step_end(self, position: TrainerState, losses: Mapping[str, float]) -> None:
        """Move the bar, or say a line when there was none for long."""
        now = time.perf_counter()
        if now < self._next:
            return
        self._next = now + self._every
        told = self._told(position, losses)
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=position.step, told=told)
        else:
            self._say(told)

    def on_evaluate(self, position: TrainerState, improved: bool) -> None:
        """Say what was found; what is best so far has a star."""
        row = position.metrics[-1]
        told = "  ".join(
            f"{name} {value:.4g}"
            for name, value in row.items()
            if name not in ("epoch", "step", "seconds")
        )
        star = " *" if improved else ""
        self._say(
            f"{self._epoch(position.epoch)}  {position.seconds:.0f} s  {told}{star}"
        )
        self._next = time.perf_counter() + self._every

    def on_train_end(self, position: TrainerState) -> None:
        """Say why the run ends, and what came of it."""
        if self._bar:
            self._bar.stop()
        if position.done:
            self._say(f"finished: {over(self.session, position)}")
        if position.done and position.best is not None:
            metric, epoch = self.session.task.metric, position.best_epoch
            self._say(f"best {metric} {position.best:.4g} in epoch {epoch}: {BEST}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _epoch(self, number: int) -> str:
        return f"epoch {number}/{self.session.task.epochs}"

    def _told(self, position: TrainerState, losses: Mapping[str, float]) -> str:
        """Where the run is, in one line."""
        optimizers = self.session.optimizers
        parts = [
            self._epoch(position.epoch + 1),
            f"step {position.step}/{self.session.total}",
            *(f"{label(name, 'loss')} {loss:.4g}" for name, loss in losses.items()),
            *(
                f"{label(name, 'lr')} {optimizers[name].param_groups[0]['lr']:.2g}"
                for name in losses
            ),
        ]
        step, seconds = self._begun
        elapsed = position.seconds - seconds
        if elapsed <= RATE_AFTER:
            return "  ".join(parts)
        rate = (position.step - step) / elapsed
        left = timedelta(seconds=round(self._left(position, rate)))
        return "  ".join((*parts, f"{rate:.3g} steps/s", f"{left} left"))

    def _left(self, position: TrainerState, rate: float) -> float:
        """Seconds of steps that are left."""
        left = (self.session.total - position.step) / rate
        minutes = self.session.task.minutes
        return left if minutes is None else min(left, 60 * minutes - position.seconds)


def bar(console: Console) -> Bar:
    """A bar with a line of text behind it."""
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    told = TextColumn("{task.fields[told]}", markup=False)
    return Bar(BarColumn(bar_width=20), told, console=console, transient=True)
