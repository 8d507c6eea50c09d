"""The training loop: steps, evaluations and stopping."""

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
from runtime.engine.trainer_state import (
    LogRow,
    TrainerState,
    add_to_sums,
    column_name,
    means,
)

MAX_STEP_ROWS: Final = 10_000
"""Maximum number of rows in `steps.csv`; in longer runs a row is the mean of several steps."""

SAVE_EVERY: Final = 300
"""Seconds of training within an epoch after which the run is saved."""


def train_epochs(
    session: Session, state: TrainerState, callback: Callback, signals: Signals
) -> None:
    """Train from a state until training is complete.

    Raises:
        Stopped: after a signal, when the current step is done and the run is saved.
    """
    while not state.done:
        train_epoch(session, state, callback, signals)
        _evaluate(session, state, callback)
        state.done = bool(stop_reason(session, state))
        callback.on_save(state)
        number = _received_signal(session, state, signals)
        if number and not state.done:
            raise Stopped(number)


def train_epoch(
    session: Session, state: TrainerState, callback: Callback, signals: Signals
) -> None:
    """Train until the end of the current epoch.

    Raises:
        Stopped: as `train_epochs`.
    """
    session.sampler.epoch, session.sampler.start = state.epoch, state.batch
    for network in session.learner.networks.values():
        network.train()
    session.freezing.apply(state.epoch)
    last, saved = time.perf_counter(), state.seconds
    for batches in _step_batches(session):
        _step(session, state, callback, batches)
        now = time.perf_counter()
        state.seconds, last = state.seconds + now - last, now
        number = _received_signal(session, state, signals)
        if number:
            callback.on_save(state)
            raise Stopped(number)
        if state.seconds - saved >= SAVE_EVERY:
            saved = state.seconds
            callback.on_save(state)
        if _out_of_time(session, state):
            break
    state.epoch, state.batch = state.epoch + 1, 0


def _step_batches(session: Session) -> Iterator[list[Batch]]:
    """The batches of each step."""
    batches = iter(session.batches)
    while group := list(islice(batches, session.task.accumulate)):
        yield group


def _step(
    session: Session, state: TrainerState, callback: Callback, batches: list[Batch]
) -> None:
    try:
        losses = train_step(session, batches, state.step)
    except NonFiniteError as error:
        callback.on_nonfinite(state, error, batches)
        raise
    state.step += 1
    state.batch += len(batches)
    _log_step(session, state, losses)
    callback.on_step_end(state, losses)


def _log_step(
    session: Session, state: TrainerState, losses: Mapping[str, float]
) -> None:
    """Add the losses of a step to the state, with a row of `steps` where one is due."""
    named = {column_name(name, "loss"): loss for name, loss in losses.items()}
    add_to_sums(state.sums, named)
    add_to_sums(state.recent, named)
    if state.step % -(-session.total_steps // MAX_STEP_ROWS):
        return
    row: LogRow = {"step": state.step, "epoch": state.epoch + 1}
    row |= means(state.recent)
    for name in losses:
        row[column_name(name, "lr")] = session.learning_rate(name)
    state.steps.append(row)
    state.recent = {}


def _received_signal(session: Session, state: TrainerState, signals: Signals) -> int:
    """The signal that any process has received, 0 if none has; also sets `seconds` to the slowest process's."""
    fabric = session.fabric
    if fabric.world_size == 1:
        return signals.number
    own = torch.tensor([signals.number, state.seconds], dtype=torch.float64)
    largest = cast("torch.Tensor", fabric.all_reduce(own, reduce_op="max"))
    state.seconds = float(largest[1])
    return int(largest[0])


def _out_of_time(session: Session, state: TrainerState) -> bool:
    minutes = session.task.minutes
    return minutes is not None and state.seconds >= 60 * minutes


def _evaluate(session: Session, state: TrainerState, callback: Callback) -> None:
    """Evaluate if it is due, and always after the last epoch; without held-out data, the last weights are the best."""
    task, train_means = session.task, means(state.sums)
    state.sums = {}
    last = bool(stop_reason(session, state))
    if state.epoch % task.evaluate_every and not last:
        return
    metrics, improved = {}, True
    if session.holds_out:
        metrics = evaluate(session, final=last)
        improved = _update_best(session, state, metrics[task.best_metric[0]])
    if not last and stop_reason(session, state):  # early stopping: this is the last one
        metrics |= evaluate(session, final=True)
    row: LogRow = {"epoch": state.epoch, "step": state.step}
    row["seconds"] = state.seconds
    row |= {f"train.{name}": value for name, value in train_means.items()}
    state.metrics.append(row | metrics)
    callback.on_evaluate(state, improved)


def _update_best(session: Session, state: TrainerState, value: float) -> bool:
    """Update the best value and the count for early stopping; returns whether the value is the best so far."""
    (_, better), stopping = session.task.best_metric, session.task.early_stopping
    min_delta = stopping.min_delta if stopping else 0
    state.waited += 1
    if _improves(better, value, state.mark, min_delta):
        state.mark, state.waited = value, 0
    if not _improves(better, value, state.best):
        return False
    state.best, state.best_epoch = value, state.epoch
    return True


def _improves(
    better: str, value: float, reference: float | None, min_delta: float = 0
) -> bool:
    if reference is None:
        return not math.isnan(value)
    if better == "lower":
        return value < reference - min_delta
    return value > reference + min_delta


def stop_reason(session: Session, state: TrainerState) -> str:
    """Why training is complete; "" if it is not."""
    task, stopping = session.task, session.task.early_stopping
    if state.epoch >= task.epochs:
        return f"epoch {task.epochs} is done"
    if _out_of_time(session, state):
        return f"the time limit is reached (minutes: {task.minutes:g})"
    if stopping and state.waited >= stopping.patience:
        return (
            f"early stopping (evaluations without a better {task.best_metric[0]}: "
            f"{state.waited})"
        )
    return ""
