"""The loop: epochs of steps, evaluations between them, and an end."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final, cast

import torch

from runtime.data.dataset import Batch
from runtime.engine.callbacks import Callback
from runtime.engine.evaluation import evaluate
from runtime.engine.session import Session
from runtime.engine.signals import Signals, Stopped
from runtime.engine.train_step import NonFiniteError, train_step
from runtime.engine.trainer_state import Row, TrainerState, add, label, means

ROWS: Final = 10_000
"""Rows of the table of steps, at most: in longer runs each is the mean of several steps."""

SAVE_EVERY: Final = 300
"""Seconds of an epoch after which the state is kept, whatever may come."""


def run(
    session: Session, position: TrainerState, watcher: Callback, signals: Signals
) -> None:
    """Train from a position to the end.

    Raises:
        Stopped: after a signal, when the step is done and the state is kept.
    """
    while not position.done:
        train_epoch(session, position, watcher, signals)
        _evaluate(session, position, watcher)
        position.done = bool(over(session, position))
        watcher.on_save(position)
        number = _agree(session, position, signals)
        if number and not position.done:
            raise Stopped(number)


def train_epoch(
    session: Session, position: TrainerState, watcher: Callback, signals: Signals
) -> None:
    """The rest of an epoch."""
    session.order.epoch, session.order.start = position.epoch, position.batch
    for network in session.learner.networks.values():
        network.train()
    begun, saved = time.perf_counter(), position.seconds
    for batches in _steps(session):
        _step(session, position, watcher, batches)
        now = time.perf_counter()
        position.seconds, begun = position.seconds + now - begun, now
        number = _agree(session, position, signals)
        if number:
            watcher.on_save(position)
            raise Stopped(number)
        if position.seconds - saved >= SAVE_EVERY:
            saved = position.seconds
            watcher.on_save(position)
        if _late(session, position):
            break
    position.epoch, position.batch = position.epoch + 1, 0


def _steps(session: Session) -> Iterator[list[Batch]]:
    """The batches of each step."""
    batches = iter(session.batches)
    while group := list(islice(batches, session.task.accumulate)):
        yield group


def _step(
    session: Session, position: TrainerState, watcher: Callback, batches: list[Batch]
) -> None:
    try:
        losses = train_step(session, batches, position.step)
    except NonFiniteError as fault:
        watcher.on_nonfinite(position, fault, batches)
        raise
    position.step += 1
    position.batch += len(batches)
    _note(session, position, losses)
    watcher.on_step_end(position, losses)


def _note(
    session: Session, position: TrainerState, losses: Mapping[str, float]
) -> None:
    """Put the losses of a step down."""
    named = {label(name, "loss"): loss for name, loss in losses.items()}
    add(position.sums, named)
    add(position.recent, named)
    if position.step % -(-session.total // ROWS):
        return
    row: Row = {"step": position.step, "epoch": position.epoch + 1}
    row |= means(position.recent)
    for name in losses:
        row[label(name, "lr")] = session.optimizers[name].param_groups[0]["lr"]
    position.steps.append(row)
    position.recent = {}


def _agree(session: Session, position: TrainerState, signals: Signals) -> int:
    """The signal that some process has been sent; all go by the clock of the slowest."""
    fabric = session.fabric
    if fabric.world_size == 1:
        return signals.number
    own = torch.tensor([signals.number, position.seconds], dtype=torch.float64)
    most = cast("torch.Tensor", fabric.all_reduce(own, reduce_op="max"))
    position.seconds = float(most[1])
    return int(most[0])


def _late(session: Session, position: TrainerState) -> bool:
    minutes = session.task.minutes
    return minutes is not None and position.seconds >= 60 * minutes


def _evaluate(session: Session, position: TrainerState, watcher: Callback) -> None:
    task, trained = session.task, means(position.sums)
    position.sums = {}
    last = bool(over(session, position))
    if position.epoch % task.evaluate_every and not last:
        return
    found = evaluate(session, final=last)
    improved = _judge(session, position, found[task.metric])
    if not last and over(session, position):  # early: the last evaluation after all
        found |= evaluate(session, final=True)
    row: Row = {"epoch": position.epoch, "step": position.step}
    row["seconds"] = position.seconds
    row |= {f"train.{name}": value for name, value in trained.items()}
    position.metrics.append(row | found)
    watcher.on_evaluate(position, improved)


def _judge(session: Session, position: TrainerState, value: float) -> bool:
    """Whether a value of the metric is the best so far."""
    better, stopping = session.task.better, session.task.early_stopping
    position.waited += 1
    if _better(better, value, position.mark, stopping.min_delta if stopping else 0):
        position.mark, position.waited = value, 0
    if not _better(better, value, position.best):
        return False
    position.best, position.best_epoch = value, position.epoch
    return True


def _better(better: str, value: float, than: float | None, by: float = 0) -> bool:
    if than is None:
        return not math.isnan(value)
    return value < than - by if better == "lower" else value > than + by


def over(session: Session, position: TrainerState) -> str:
    """Why there is no more to do; "" while there is."""
    task, stopping = session.task, session.task.early_stopping
    if position.epoch >= task.epochs:
        return f"epoch {task.epochs} is done"
    if _late(session, position):
        return f"the time is over (minutes: {task.minutes:g})"
    if stopping and position.waited >= stopping.patience:
        return f"evaluations without a better {task.metric}: {position.waited}"
    return ""
