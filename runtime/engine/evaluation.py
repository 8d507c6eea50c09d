"""Evaluate networks without changing the random state of training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from runtime.engine.session import Session


@contextmanager
def isolated_rng(session: Session) -> Iterator[None]:
    """While the context is open, random numbers come from the task's seed; afterwards the state is restored."""
    device = session.fabric.device
    with torch.random.fork_rng([] if device.type == "cpu" else [device]):
        torch.manual_seed(session.task.seed)
        yield


@contextmanager
def evaluation_mode(session: Session) -> Iterator[None]:
    """While the context is open: averaged weights, networks in evaluation mode, no gradients, and `isolated_rng`."""
    networks = session.learner.networks.values()
    modes = [network.training for network in networks]
    with session.average.applied(), isolated_rng(session), torch.no_grad():
        for network in networks:
            network.eval()
        yield
    for network, mode in zip(networks, modes, strict=True):
        network.train(mode)


def evaluate(session: Session, final: bool) -> dict[str, float]:
    """The task's metrics on all held-out examples; `final` adds the costly ones."""
    with evaluation_mode(session):
        return session.learner.evaluate(session.held_out(), final)
