"""Evaluation: metrics on what is held out, without a trace in what training draws."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from runtime.engine.session import Session


@contextmanager
def isolated_rng(session: Session) -> Iterator[None]:
    """Random numbers apart from those of training, and each time the same."""
    device = session.fabric.device
    with torch.random.fork_rng([] if device.type == "cpu" else [device]):
        torch.manual_seed(session.task.seed)
        yield


@contextmanager
def evaluation_mode(session: Session) -> Iterator[None]:
    """Networks in evaluation mode, no gradients, and random numbers apart from those of training."""
    networks = session.learner.networks.values()
    modes = [network.training for network in networks]
    with isolated_rng(session), torch.no_grad():
        for network in networks:
            network.eval()
        yield
    for network, mode in zip(networks, modes, strict=True):
        network.train(mode)


def evaluate(session: Session, final: bool) -> dict[str, float]:
    """The metrics of the task on all held-out examples."""
    with evaluation_mode(session):
        return session.learner.evaluate(session.held_out(), final)
