"""One step: the turns that are due, each a loss, its gradients, and the optimizer's step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from lightning_fabric.wrappers import _FabricModule
from torch import nn
from torch.distributed.tensor import DTensor

from runtime.data.dataset import Batch
from runtime.engine.build_optimizer import set_rate
from runtime.engine.session import Session


class NonFiniteError(ArithmeticError):
    """The loss of a network is NaN or infinite, or its gradient is; the network keeps its weights.

    Attributes:
        network: its name.
        loss: its loss; where that is finite, the gradient is not.
        random: the state of the random numbers before its update.
    """

    def __init__(self, network: str, loss: float, random: torch.Tensor) -> None:
        super().__init__(network)
        self.network, self.loss, self.random = network, loss, random

    def what(self, name: str) -> str:
        """What is not finite, of a loss of this name."""
        if math.isfinite(self.loss):
            return f"the gradient of the {name} is not finite"
        return f"the {name} is {'NaN' if math.isnan(self.loss) else 'infinite'}"


def train_step(
    session: Session, batches: Sequence[Batch], step: int
) -> dict[str, float]:
    """Learn from batches that make one step; the mean loss of each network that was due.

    Every term of a loss weighs the same, in whichever batch and process it is.

    Raises:
        NonFiniteError: where a network cannot learn from them.
    """
    share = world_sum(session, sum(map(session.learner.num_items, batches)))
    return {
        name: _update(session, name, batches, step, share)
        for name in session.learner.networks_to_update(step)
    }


def world_sum(session: Session, value: float) -> float:
    """The sum of a number over all processes."""
    fabric = session.fabric
    if fabric.world_size == 1:
        return value
    summed = fabric.all_reduce(torch.tensor(float(value)), reduce_op="sum")
    return float(cast("torch.Tensor", summed))


def _update(
    session: Session, name: str, batches: Sequence[Batch], step: int, terms: float
) -> float:
    """Update one network."""
    fabric, network = (
        session.fabric,
        cast("_FabricModule", session.learner.networks[name]),
    )
    optimizer, config = session.optimizers[name], session.optimizer_configs[name]
    factor = config.schedule.factor(step, session.total)
    set_rate(optimizer, config.optimizer.lr * factor)
    optimizer.zero_grad()
    total, random = 0.0, torch.get_rng_state()
    for number, batch in enumerate(batches):
        waits = number < len(batches) - 1
        with fabric.no_backward_sync(network, enabled=waits):
            loss = session.learner.loss(name, batch, step / session.total)
            # Processes average their gradients: the share of each is of one process.
            fabric.backward(loss * (fabric.world_size / terms))
        total += loss.item()
    mean = world_sum(session, total) / terms
    if not (math.isfinite(mean) and has_finite_gradient(session, network)):
        raise NonFiniteError(name, mean, random)
    if config.clip is not None:
        fabric.clip_gradients(
            network, optimizer, max_norm=config.clip, error_if_nonfinite=False
        )
    optimizer.step()
    session.learner.after_optimizer_step(name)
    return mean


def has_finite_gradient(session: Session, network: nn.Module) -> bool:
    """Whether all gradients of a network are finite.

    In half precision some are not now and then: the scaler leaves such steps out.
    """
    if session.task.precision == "16-mixed":
        return True
    found = [one.grad for one in network.parameters() if one.grad is not None]
    if not found:
        return True
    # In the norms: one pass, and one number to wait for. They may overflow themselves.
    total = torch.stack(torch._foreach_norm(found)).sum()
    whole = total.full_tensor() if isinstance(total, DTensor) else total
    return math.isfinite(whole.item()) or all(
        bool(one.isfinite().all()) for one in found
    )
