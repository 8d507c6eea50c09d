"""One training step: loss, gradients and optimizer step of each network to update."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from lightning_fabric.wrappers import _FabricModule
from torch import nn
from torch.distributed.tensor import DTensor

from runtime.data.dataset import Batch
from runtime.engine.build_optimizer import set_learning_rate
from runtime.engine.session import Session


class NonFiniteError(ArithmeticError):
    """A network's loss or gradient is NaN or infinite. Its weights have not been updated.

    Attributes:
        network: name of the network.
        loss: the loss; if it is finite, the gradient is not.
        rng_state: torch's random state before the loss was computed.
    """

    def __init__(self, network: str, loss: float, rng_state: torch.Tensor) -> None:
        super().__init__(network)
        self.network, self.loss, self.rng_state = network, loss, rng_state

    def describe(self, loss_name: str) -> str:
        """For example `the loss is NaN`."""
        if math.isfinite(self.loss):
            return f"the gradient of the {loss_name} is not finite"
        kind = "NaN" if math.isnan(self.loss) else "infinite"
        return f"the {loss_name} is {kind}"


def train_step(
    session: Session, batches: Sequence[Batch], step: int
) -> dict[str, float]:
    """Update the networks that are due in a step; returns their mean losses by name.

    Every item has the same weight, whichever batch and process it is in.

    Args:
        session: networks and optimizers.
        batches: the batches whose gradients are accumulated.
        step: number of steps done before.

    Raises:
        NonFiniteError: if a loss or gradient is NaN or infinite.
    """
    items = sum_over_processes(session, sum(map(session.learner.num_items, batches)))
    return {
        name: _update(session, name, batches, step, items)
        for name in session.learner.networks_to_update(step)
    }


def sum_over_processes(session: Session, value: float) -> float:
    """The sum of a number over all processes."""
    fabric = session.fabric
    if fabric.world_size == 1:
        return value
    total = fabric.all_reduce(torch.tensor(float(value)), reduce_op="sum")
    return float(cast("torch.Tensor", total))


def _update(
    session: Session, name: str, batches: Sequence[Batch], step: int, items: float
) -> float:
    """Update one network; returns the mean loss of its `items` in all processes."""
    fabric = session.fabric
    network = cast("_FabricModule", session.learner.networks[name])
    optimizer, config = session.optimizers[name], session.optimizer_configs[name]
    factor = config.schedule.factor(step, session.total_steps)
    set_learning_rate(optimizer, config.optimizer.lr * factor)
    optimizer.zero_grad()
    total, rng_state = 0.0, torch.get_rng_state()
    for number, batch in enumerate(batches):
        accumulating = number < len(batches) - 1
        with fabric.no_backward_sync(network, enabled=accumulating):
            loss = session.learner.loss(name, batch, step / session.total_steps)
            # DDP averages gradients over processes, where we need their sum.
            fabric.backward(loss * (fabric.world_size / items))
        total += loss.item()
    mean = sum_over_processes(session, total) / items
    if not (math.isfinite(mean) and has_finite_gradients(session, network)):
        raise NonFiniteError(name, mean, rng_state)
    if config.clip is not None:
        fabric.clip_gradients(
            network, optimizer, max_norm=config.clip, error_if_nonfinite=False
        )
    optimizer.step()
    session.average.update(name)
    return mean


def has_finite_gradients(session: Session, network: nn.Module) -> bool:
    """Whether all gradients of a network are finite.

    Always True in `16-mixed` precision, whose gradient scaler skips steps that are not.
    """
    if session.task.precision == "16-mixed":
        return True
    gradients = [
        weight.grad for weight in network.parameters() if weight.grad is not None
    ]
    if not gradients:
        return True
    # The sum of norms takes one pass and one synchronisation; it may itself overflow.
    total = torch.stack(torch._foreach_norm(gradients)).sum()
    whole = total.full_tensor() if isinstance(total, DTensor) else total
    return math.isfinite(whole.item()) or all(
        bool(gradient.isfinite().all()) for gradient in gradients
    )
