"""The states of networks and optimizers as whole tensors, wherever their parts are."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule
from torch.optim import Optimizer

_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def is_sharded(net: nn.Module) -> bool:
    """Whether processes hold parts of its weights; its states are then got and set by all of them together.

    After a run without gradients some weights are still whole: they are parted again.
    """
    parts = [one for one in net.modules() if isinstance(one, FSDPModule)]
    for one in parts:
        one.reshard()
    return bool(parts)


def network_state(net: nn.Module) -> dict[str, Any]:
    """The weights of a network; of a sharded one in the first process alone."""
    if is_sharded(net):
        return dict(get_model_state_dict(net, options=_WHOLE))
    return net.state_dict()


def optimizer_state(net: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """The state of a network's optimizer; for a sharded one in the first process alone."""
    if is_sharded(net):
        return dict(get_optimizer_state_dict(net, optimizer, options=_WHOLE))
    return optimizer.state_dict()


def set_network_state(net: nn.Module, state: dict[str, Any]) -> None:
    """Give a network its weights."""
    if is_sharded(net):
        set_model_state_dict(net, state, options=_WHOLE)
    else:
        net.load_state_dict(state)


def set_optimizer_state(
    net: nn.Module, optimizer: Optimizer, state: dict[str, Any]
) -> None:
    """Give the optimizer of a network its state."""
    if is_sharded(net):
        set_optimizer_state_dict(net, optimizer, state, options=_WHOLE)
    else:
        optimizer.load_state_dict(state)


def random_states(world: int) -> list[torch.Tensor]:
    """The state of the random numbers of every process."""
    own = torch.get_rng_state()
    if world == 1:
        return [own]
    found: list[torch.Tensor] = [own] * world
    torch.distributed.all_gather_object(found, own)
    return found
