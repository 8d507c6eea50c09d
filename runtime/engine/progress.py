"""Report the progress of a run: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from rich.console import Console

from compiler.diagnostics.text import printable
from runtime.engine.callbacks import Callback
from runtime.engine.loop import stop_reason
from runtime.engine.run_folder import BEST
from runtime.engine.session import Session
from runtime.engine.trainer_state import TrainerState, column_name

if TYPE_CHECKING:
    from rich.progress import Progress

LINE_EVERY: Final = 30.0
"""Seconds between two lines, if no evaluation writes one."""
BAR_EVERY: Final = 0.1
"""Seconds between two updates of the bar."""
RATE_AFTER: Final = 0.1
"""Seconds of training before the speed is shown."""


class ProgressCallback(Callback):
    """Reports a run's progress on standard error; only the first process writes."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._console = Console(stderr=True, quiet=not session.fabric.is_global_zero)
        self._bar = make_bar(self._console) if self._console.is_terminal else None
        self._every = BAR_EVERY if self._bar else LINE_EVERY
        self._next = time.perf_counter() + self._every
        self._start = (0, 0.0)

    def on_train_begin(self, state: TrainerState, notes: Sequence[str]) -> None:
        """Report where a run resumes, and the notes."""
        if state.done:
            self._print(f"the run is finished: {stop_reason(self.session, state)}")
            return
        if state.step:
            self._print(f"resuming in epoch {state.epoch + 1}, after step {state.step}")
        for note in notes:
            self._print(note)
        self._start = (state.step, state.seconds)
        if self._bar:
            total = self.session.total_steps
            self._bar.add_task("", text="", total=total, completed=state.step)
            self._bar.start()

    def on_step_end(self, state: TrainerState, losses: Mapping[str, float]) -> None:
        """Update the bar, or write a line if the last one is some time ago."""
        now = time.perf_counter()
        if now < self._next:
            return
        self._next = now + self._every
        text = self._status(state, losses)
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=state.step, text=text)
        else:
            self._print(text)

    def on_evaluate(self, state: TrainerState, improved: bool) -> None:
        """Write the metrics, with a star if they are the best so far."""
        metrics = "  ".join(
            f"{name} {value:.4g}"
            for name, value in state.metrics[-1].items()
            if name not in ("epoch", "step", "seconds")
        )
        epoch, star = self._format_epoch(state.epoch), " *" if improved else ""
        self._print(f"{epoch}  {state.seconds:.0f} s  {metrics}{star}")
        self._next = time.perf_counter() + self._every

    def on_train_end(self, state: TrainerState) -> None:
        """Write why the run is finished, and its best metric."""
        if self._bar:
            self._bar.stop()
        if state.done:
            self._print(f"finished: {stop_reason(self.session, state)}")
        if state.done and state.best is not None:
            (metric, _), epoch = self.session.task.best_metric, state.best_epoch
            self._print(f"best {metric} {state.best:.4g} in epoch {epoch}: {BEST}")

    def _print(self, text: str) -> None:
        self._console.print(
            printable(text), markup=False, highlight=False, soft_wrap=True
        )

    def _format_epoch(self, number: int) -> str:
        return f"epoch {number}/{self.session.task.epochs}"

    def _status(self, state: TrainerState, losses: Mapping[str, float]) -> str:
        """Epoch, step, losses, learning rates, speed and remaining time in one line."""
        parts = [
            self._format_epoch(state.epoch + 1),
            f"step {state.step}/{self.session.total_steps}",
        ]
        parts += [
            f"{column_name(name, 'loss')} {loss:.4g}" for name, loss in losses.items()
        ]
        parts += [
            f"{column_name(name, 'lr')} {self.session.learning_rate(name):.2g}"
            for name in losses
        ]
        step, seconds = self._start
        elapsed = state.seconds - seconds
        if elapsed > RATE_AFTER:
            rate = (state.step - step) / elapsed
            left = timedelta(seconds=round(self._seconds_left(state, rate)))
            parts += [f"{rate:.3g} steps/s", f"{left} left"]
        return "  ".join(parts)

    def _seconds_left(self, state: TrainerState, rate: float) -> float:
        """Remaining training time, at a speed in steps per second."""
        left = (self.session.total_steps - state.step) / rate
        minutes = self.session.task.minutes
        return left if minutes is None else min(left, 60 * minutes - state.seconds)


def make_bar(console: Console) -> Progress:
    """A progress bar with a line of text after it."""
    from rich.progress import BarColumn, Progress, TextColumn

    text = TextColumn("{task.fields[text]}", markup=False)
    return Progress(BarColumn(bar_width=20), text, console=console, transient=True)
