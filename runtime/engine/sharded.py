"""States of networks and optimizers as whole tensors, also if they are sharded (FSDP2)."""

from __future__ import annotations

from typing import Any, Final

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

_WHOLE: Final = StateDictOptions(full_state_dict=True, cpu_offload=True)


def is_sharded(network: nn.Module) -> bool:
    """Whether a network is sharded; all processes must then get and set its states together.

    Also reshards the weights: after a forward pass without gradients some are still whole.
    """
    shards = [module for module in network.modules() if isinstance(module, FSDPModule)]
    for module in shards:
        module.reshard()
    return bool(shards)


def network_state(network: nn.Module) -> dict[str, Any]:
    """The state dict of a network; if it is sharded, only in the first process."""
    if is_sharded(network):
        return dict(get_model_state_dict(network, options=_WHOLE))
    return network.state_dict()


def optimizer_state(network: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """The state dict of a network's optimizer; if it is sharded, only in the first process."""
    if is_sharded(network):
        return dict(get_optimizer_state_dict(network, optimizer, options=_WHOLE))
    return optimizer.state_dict()


def load_network_state(network: nn.Module, state: dict[str, Any]) -> None:
    """Load what `network_state` returned."""
    if is_sharded(network):
        set_model_state_dict(network, state, options=_WHOLE)
    else:
        network.load_state_dict(state)


def load_optimizer_state(
    network: nn.Module, optimizer: Optimizer, state: dict[str, Any]
) -> None:
    """Load what `optimizer_state` returned."""
    if is_sharded(network):
        set_optimizer_state_dict(network, optimizer, state, options=_WHOLE)
    else:
        optimizer.load_state_dict(state)


def rng_states(world_size: int) -> list[torch.Tensor]:
    """The random state of every process."""
    own = torch.get_rng_state()
    if world_size == 1:
        return [own]
    states: list[torch.Tensor] = [own] * world_size
    torch.distributed.all_gather_object(states, own)
    return states
